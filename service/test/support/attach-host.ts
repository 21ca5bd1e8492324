import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, type Host, type HostOptions } from '../../src/host.ts';
import type { Iommu } from '../../src/kernel/iommu/iommu.ts';
import type { ParentDevice } from '../../src/kernel/mdev/parent-device.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { PhysicalMemory } from '../../src/platform/physical-memory.ts';
import type { RunningService } from '../../src/service.ts';
import { ADMIN_TOKEN, serviceOn } from '../http-service.ts';

/** What a test waits for at most; everything here takes milliseconds on a quiet machine. */
const DEADLINE_MS = 30_000;

/** Waits until `condition` holds, looking every few milliseconds. */
export async function until(condition: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen within ${deadlineMs} ms: ${what}`);
    await new Promise((next) => setTimeout(next, 2));
  }
}

export interface AttachHost {
  readonly host: Host;
  /** The Unix socket. */
  readonly path: string;
  close(): Promise<void>;
}

/** A whole stack in this process at whose socket child processes attach. Close it in every case. */
export async function openAttachHost(options: Partial<HostOptions> = {}): Promise<AttachHost> {
  const folder = mkdtempSync(join(tmpdir(), 'warpdrive-deck-'));
  const path = join(folder, 'attach.sock');
  const host = await createHost({ mode: 'sva', core: 'wasm', cores: 0, queues: 2, ...options }, silentLog);
  await host.listenForProcesses(path, (token) => token === ADMIN_TOKEN);
  return {
    host,
    path,
    async close() {
      await host.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `use` with a stack and closes it. */
export async function withHost(
  options: Partial<HostOptions>,
  use: (attach: AttachHost) => Promise<void>,
): Promise<void> {
  const attach = await openAttachHost(options);
  try {
    await use(attach);
  } finally {
    await attach.close();
  }
}

export interface Api {
  readonly url: string;
  /** The JSON of a GET. */
  get(path: string, isAdmin?: boolean): Promise<Record<string, unknown>>;
  /** Any request; the body is JSON, or empty. */
  send(
    method: string,
    path: string,
    options?: { body?: unknown; text?: string; token?: string | undefined },
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Text of a sysfs attribute, without its newline. */
  sysfs(path: string): Promise<string>;
}

/** A stack with its socket and its HTTP routes; closes both. */
export async function withService(
  options: Partial<HostOptions>,
  use: (attach: AttachHost, api: Api) => Promise<void>,
): Promise<void> {
  const attach = await openAttachHost(options);
  let service: RunningService | undefined;
  try {
    service = await serviceOn(attach.host);
    await use(attach, apiAt(service.url));
  } finally {
    if (service) await service.stop();
    await attach.close();
  }
}

export function apiAt(url: string): Api {
  const send: Api['send'] = async (method, path, { body, text, token } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined && text === undefined ? {} : { body: text ?? JSON.stringify(body) }),
    });
    const said = await response.text();
    return {
      status: response.status,
      body: said === '' ? {} : (JSON.parse(said) as Record<string, unknown>),
    };
  };
  const get: Api['get'] = async (path, isAdmin = false) =>
    (await send('GET', path, isAdmin ? { token: ADMIN_TOKEN } : {})).body;
  return {
    url,
    get,
    send,
    sysfs: async (path) => String((await get(`/v1/sysfs/${path}`))['text']).trimEnd(),
  };
}

/** Parts of the stack that are no part of a host's public face: for looking at what is left, and for making stalls. */
export function insideOf({ kernel }: Host): { iommu: Iommu; memory: PhysicalMemory; parent: ParentDevice } {
  return (kernel as unknown as { parts: { iommu: Iommu; memory: PhysicalMemory; parent: ParentDevice } })
    .parts;
}

/** Everything a process could leave behind in this service. Equal before and after = nothing was left. */
export function footprint(host: Host) {
  const { iommu, memory, parent } = insideOf(host);
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return {
    queues: host.view.queues().length,
    queuesFree: parent.queuesFree,
    mdevs: host.view
      .mdevs()
      .map(({ state }) => state)
      .sort()
      .join(' '),
    pasids: iommu.pasidsInUse,
    stalls: iommu.stalls().length,
    windows: memory.windowCount,
    allocatedBytes: memory.allocatedBytes,
    mappedFiles: maps.filter((line) => line.includes('warpdrive-')).length,
    sharedFiles: readdirSync('/dev/shm').filter((name) => name.startsWith(`warpdrive-${process.pid}-`))
      .length,
    descriptors: readdirSync('/proc/self/fd').filter((fd) => fd !== '').length,
  };
}
