import { randomUUID } from 'node:crypto';
import type {
  CoreName,
  DeviceSnapshot,
  FaultModel,
  QueueMode,
  QueueSnapshot,
  StackView,
} from '../../shared/src/telemetry.ts';
import { type StreamId, streamId } from '../../shared/src/units.ts';
import { ForeignProcesses } from './attach/foreign-process.ts';
import { AttachServer } from './attach/server.ts';
import type { Codec } from './codec/codec.ts';
import { NO_CODEC } from './codec/no-codec.ts';
import { WarpDriveCodec } from './codec/warpdrive-codec.ts';
import { INLINE_OUTPUT_BYTES } from './emulator/core-choice.ts';
import { wasmModule } from './emulator/deflate/wasm-core.ts';
import { type ChosenCore, chooseCore } from './emulator/engine/choose-core.ts';
import { allocateCoreRanges } from './emulator/engine/core-ranges.ts';
import { createDataPaths } from './emulator/engine/data-paths.ts';
import { EngineCore } from './emulator/engine/engine-core.ts';
import { PolledCore } from './emulator/engine/polled-core.ts';
import { SmallJobs } from './emulator/engine/small-jobs.ts';
import { WorkerCore } from './emulator/engine/worker-core.ts';
import { ZipDevice } from './emulator/zip-device.ts';
import { QUEUE_DEPTH } from './hw-abi/qm.ts';
import { ZIP_V2, ZIP_V3 } from './hw-abi/zip-variant.ts';
import { Iommu } from './kernel/iommu/iommu.ts';
import { Kernel } from './kernel/kernel.ts';
import { ParentDevice } from './kernel/mdev/parent-device.ts';
import { PF_QUEUES, partitionQueues, type QueueWindow } from './kernel/qm/queue-partition.ts';
import { systemClock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import { PhysicalMemory } from './platform/physical-memory.ts';
import { AcceleratorLibrary, SHARED_JOB_BYTES } from './warpdrive/accelerator-library.ts';

export interface HostOptions {
  mode: QueueMode;
  core: CoreName | 'auto';
  /** Engine cores in worker threads, beside the polled one. */
  cores: number;
  /** Queues of the service itself, at least 2; 0 for a host that only others use: its codec has none. */
  queues: number;
  /** Which virtual function of the device this stack is; absent: the physical one. */
  vf?: VirtualFunction;
  /** Of the physical function: the virtual ones to which its function table gives the rest of the queues. */
  functions?: readonly VirtualFunction[];
  /** The engine core as another process chose and tested it; absent: it is chosen here, by `core`. */
  chosenCore?: ChosenCore;
  /** Generation of the emulated ZIP: `v3` (default) as Kunpeng 930, `v2` as Kunpeng 920, which has no raw DEFLATE. */
  hardware?: 'v2' | 'v3';
  /** What the emulated device can do about absent pages; stall if absent. */
  faultModel?: FaultModel;
  /** Queues kept for mode native; absent: as many as the service opens in that mode, else none. */
  nativeQueues?: number;
  /** Largest input of one job. */
  jobBytes?: number;
  /** Jobs up to this size run on the polled core. */
  inlineBytes?: number;
  /** An engine core in a thread that works longer on one job has hung and is replaced; 15 s if absent. */
  engineLimitMs?: number;
  /** A job without completion for so long gets its queue replaced; 30 s if absent. */
  jobDeadlineMs?: number;
  /** `allow` (default): software does what the device cannot, counted with its reason. */
  fallback?: 'allow' | 'never';
}

/** One stack: device, kernel side, user library, codec; and the view of it all. */
export interface Host {
  readonly codec: Codec;
  readonly view: StackView;
  /**
   * Lets other processes attach at a Unix socket.
   * @throws WD_E_EBUSY another service is there
   */
  listenForProcesses(path: string, isAdminToken: (token: string) => boolean): Promise<void>;
  /** The kernel side, where other processes attach. */
  readonly kernel: Kernel;
  close(): Promise<void>;
}

/** A virtual function: its number, from 1, and its window of the device's queues. */
export interface VirtualFunction extends QueueWindow {
  readonly number: number;
}

/** The emulated endpoint: address and stream id as a Kunpeng server shows its first ZIP engine. */
const DEVICE_DRIVER = 'hisi_zip';
const PF_ROUTING_ID = 0x7500;
/** Functions of one device number their IOMMU groups apart: one for itself, one a queue at most. */
const GROUPS_PER_FUNCTION = 2048;
const MDEV_TYPE = { id: 'hisi_zip-zip', name: 'ZIP queue', description: 'one queue, assigned at create' };
const MDEV_TYPE_ON_OPEN = {
  id: 'hisi_zip-zip_on_open',
  name: 'ZIP queue on demand',
  description: 'one queue, assigned at open',
  policy: 'on-open',
} as const;
const RAM_BYTES = 1024 * 1024 * 1024;

const JOB_BYTES = 512 * 1024;
const INLINE_BYTES = 64 * 1024;
const SLOT_WAIT_MS = 30_000;
const JOB_DEADLINE_MS = 30_000;

/** The virtual functions that share out the device's queues, one a worker process. */
export const virtualFunctions = (count: number): VirtualFunction[] =>
  partitionQueues(count).map((window, i) => ({ number: i + 1, ...window }));

/** PCI numbers functions from the physical one's routing ID up: bus, device in 5 bits, function in 3. */
function endpointOf(number: number): { name: string; bdf: string; streamId: StreamId } {
  const id = PF_ROUTING_ID + number;
  const hex2 = (value: number) => value.toString(16).padStart(2, '0');
  return {
    name: `${DEVICE_DRIVER}-${number}`,
    bdf: `0000:${hex2(id >> 8)}:${hex2((id >> 3) & 0x1f)}.${id & 7}`,
    streamId: streamId(id),
  };
}

/**
 * Builds one stack on the emulated device and attaches the service to it.
 * @throws WD_E_EINVAL, WD_E_NO_QUEUE
 */
export async function createHost(options: HostOptions, log: Log): Promise<Host> {
  const { mode, cores, queues } = options;
  const { name: core, reason: coreReason } = options.chosenCore ?? (await chooseCore(options.core));
  const endpoint = endpointOf(options.vf?.number ?? 0);
  const inlineBytes = options.inlineBytes ?? INLINE_BYTES;
  const memory = new PhysicalMemory(RAM_BYTES);
  const clock = systemClock;
  const iommu = new Iommu(clock, options.faultModel ?? 'stall');
  const types = [MDEV_TYPE, MDEV_TYPE_ON_OPEN];
  const variant = options.hardware === 'v2' ? ZIP_V2 : ZIP_V3;
  const queuesTotal = options.vf?.count ?? Math.max(PF_QUEUES, queues);
  const parent = new ParentDevice(endpoint.name, endpoint.bdf, endpoint.streamId, types, queuesTotal, clock, {
    variant,
    reservedQueues: options.nativeQueues ?? (mode === 'native' ? queues : 0),
    iommuGroup: (options.vf?.number ?? 0) * GROUPS_PER_FUNCTION,
  });

  const polledRanges = allocateCoreRanges(memory);
  const polledPaths = createDataPaths(core, memory.wasm, polledRanges.scratch);
  const smallJobs = new SmallJobs();
  const polled = new PolledCore(0, core, new EngineCore(memory.wasm, polledPaths, polledRanges), smallJobs);
  const workers = Array.from(
    { length: cores },
    (_, index) =>
      new WorkerCore(
        index + 1,
        {
          memory: memory.wasm,
          core,
          ranges: allocateCoreRanges(memory),
          module: wasmModule(),
          smallJobs: smallJobs.buffer,
        },
        log,
        clock,
        options.engineLimitMs,
      ),
  );
  const device = new ZipDevice({
    name: parent.name,
    variant,
    streamId: endpoint.streamId,
    translator: iommu,
    memory,
    polled,
    workers,
    inlineBytes,
    keepsStateInContext: polledPaths.inflater.keepsStateInContext,
    clock,
    log,
  });
  const kernel = new Kernel({
    parent,
    iommu,
    memory,
    bus: device,
    isIommuOff: mode === 'noiommu',
    ...(options.functions ? { functions: options.functions } : {}),
    cores: () => device.cores(),
    statistics: () => ({ ...device.functionStatistics(), sendBusy: library?.totalBusy() ?? 0 }),
    drain: () => device.drain(),
    newUuid: randomUUID,
    log,
  });
  if (mode === 'noiommu') log.warn({ mode }, 'the IOMMU is off: queues address physical memory');
  // root's part: mdevs exist before any process asks for a queue
  if (mode !== 'native') for (let i = 0; i < queues; i++) parent.create(randomUUID(), MDEV_TYPE.id);

  const jobBytes = options.jobBytes ?? JOB_BYTES;
  const library =
    queues === 0
      ? undefined
      : new AcceleratorLibrary(
          kernel,
          {
            mode,
            owner: { pid: process.pid, name: 'warpdrive' },
            queues,
            jobBytes,
            // several cores are kept busy by small pieces; without one in a thread large ones hold up the caller's
            quietJobBytes: cores === 1 ? jobBytes : Math.min(jobBytes, SHARED_JOB_BYTES),
            smallJobBytes: inlineBytes,
            smallOutputBytes: INLINE_OUTPUT_BYTES,
            largeSlots: cores * 4 + 4,
            waitMs: SLOT_WAIT_MS,
            deadlineMs: options.jobDeadlineMs ?? JOB_DEADLINE_MS,
            allowsSoftware: options.fallback !== 'never',
            unavailable: () => (kernel.isolation.isIsolated ? 'device isolated' : undefined),
          },
          clock,
          log,
        );

  const { vf } = options;
  const window = vf ? { vf: vf.number, queueBase: vf.base } : {};
  const processes = new ForeignProcesses({ kernel, bus: device, memory, clock, drain: () => device.drain() });
  let attachServer: AttachServer | undefined;

  const queueSnapshots = (): QueueSnapshot[] =>
    kernel.openQueues().map(({ process: owner, queue }) => ({
      id: queue.id,
      device: parent.name,
      qpId: queue.qpId,
      mdev: queue.mdevUuid,
      owner: owner.owner,
      mode: owner.mode,
      operation: queue.operation,
      priority: queue.priority,
      state: queue.state,
      depth: QUEUE_DEPTH,
      busy: library?.busyCount(queue.qpId) ?? 0,
      ...(device.statistics(queue.qpId) ?? {
        inFlight: 0,
        operations: 0,
        bytesIn: 0,
        bytesOut: 0,
        doorbells: 0,
        errors: 0,
      }),
    }));

  return {
    codec: library ? new WarpDriveCodec(library, core) : NO_CODEC,
    view: {
      mode,
      core,
      coreReason,
      emulated: true,
      devices: () => kernel.devices().map((device) => ({ ...device, ...window }) satisfies DeviceSnapshot),
      mdevs: () => kernel.mdevs(),
      queues: queueSnapshots,
      faults: (sinceSeq, isAdmin) => kernel.faults(sinceSeq, isAdmin),
      onFault: (listener) => kernel.onFault(listener, true),
      onMdevChange: (listener) => kernel.onMdevChange(listener),
      jobSlots: () => library?.jobSlots() ?? [],
      iommu: (isAdmin) => kernel.iommuSnapshot(isAdmin),
      pageRequests: (isAdmin) => kernel.pageRequests(isAdmin),
      timings: () => ({
        sqes: [{ device: parent.name, durations: device.sqeTimings() }],
        ...kernel.iommuTimings(),
      }),
      sysfs: kernel.sysfs,
      admin: {
        mdevTypes: () => kernel.mdevTypes(),
        createMdev: (request, isAdmin) => kernel.createMdev(request, isAdmin),
        removeMdev: (uuid, isAdmin) => kernel.removeMdev(uuid, isAdmin),
        setFaultModel: (model) => kernel.setFaultModel(model),
        holdPageRequests: (isHeld) => kernel.holdPageRequests(isHeld),
        answerPageRequest: (stag, response) => kernel.answerPageRequest(stag, response),
        resetQueue: (id) => kernel.resetQueue(id),
        hardwareError: () => kernel.hardwareError(),
        reloadDriver: () => kernel.reloadDriver(),
        injectFault: (plan) => device.faults.inject(plan),
        faultPlans: () => device.faults.list(),
        clearFaults: (id) => device.faults.clear(id),
      },
    },
    kernel,
    async listenForProcesses(path, isAdminToken) {
      const server = new AttachServer({ path, processes, isAdminToken, log });
      await server.listen();
      attachServer = server;
    },
    async close() {
      await attachServer?.close();
      library?.close();
      await device.dispose();
    },
  };
}
