import { join } from 'node:path';
import { Files, type Finding, type Machine } from './machine.ts';
import { portOwner } from './port-owner.ts';

const MIN_NODE = [20, 19];
const MIN_OPEN_FILES = 4096;
const MIN_MEMORY_MIB = 512;
const LIBRARY_FOLDERS = ['usr/lib', 'usr/lib64', 'usr/local/lib', 'lib', 'lib64'];
const ISAL = 'libisal.so.2';
const MAX_PORT = 65_535;

export interface Place {
  host: string;
  port: number;
}

/** What the service needs of any machine. */
export async function checkHost(machine: Machine, place: Place): Promise<Finding[]> {
  const files = new Files(machine.root);
  return [
    checkNode(machine),
    checkIsal(files),
    checkCpus(files, machine.cpus),
    checkMemory(files),
    checkOpenFiles(files),
    await checkPort(machine, files, place),
    await checkAttach(machine),
    checkPtrace(files),
  ];
}

function checkNode({ node, platform }: Machine): Finding {
  const [major = 0, minor = 0] = node.replace(/^v/, '').split('.').map(Number);
  const [needMajor = 0, needMinor = 0] = MIN_NODE;
  if (major < needMajor || (major === needMajor && minor < needMinor))
    return {
      check: 'node',
      level: 'fail',
      detail: `Node ${node} is older than ${MIN_NODE.join('.')}`,
      fix: 'install Node 24 from https://nodejs.org',
    };
  if (platform !== 'linux')
    return {
      check: 'node',
      level: 'warn',
      detail: `Node ${node} on ${platform}: other processes cannot attach`,
      fix: 'run the service on Linux, or with --attach-socket none',
    };
  return { check: 'node', level: 'ok', detail: `Node ${node}` };
}

function checkIsal(files: Files): Finding {
  const found = LIBRARY_FOLDERS.flatMap((folder) => [
    `${folder}/${ISAL}`,
    ...files.names(folder).map((name) => `${folder}/${name}/${ISAL}`),
  ]).find((path) => files.has(path));
  if (found !== undefined) return { check: 'isal', level: 'ok', detail: `/${found}` };
  return {
    check: 'isal',
    level: 'warn',
    detail: `${ISAL} is not there: the engine cores run WebAssembly, about half as fast`,
    fix: 'sudo apt-get install libisal2   (Fedora: sudo dnf install isa-l)',
  };
}

function checkCpus(files: Files, cpus: number): Finding {
  const [quota = 'max', period = '100000'] = (files.text('sys/fs/cgroup/cpu.max') ?? 'max').split(' ');
  const limit = quota === 'max' ? Number.POSITIVE_INFINITY : Number(quota) / Number(period);
  if (limit >= cpus) return { check: 'cpus', level: 'ok', detail: `${cpus}, no cgroup limit below that` };
  return {
    check: 'cpus',
    level: 'warn',
    detail: `${cpus} are visible, but the cgroup allows ${limit.toFixed(1)}: more engine cores only wait`,
    fix: `warpdrive serve --cores ${Math.max(1, Math.floor(limit))}`,
  };
}

function checkMemory(files: Files): Finding {
  const kib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(files.text('proc/meminfo') ?? '')?.[1] ?? Number.NaN);
  const limit = Number(files.text('sys/fs/cgroup/memory.max') ?? Number.NaN);
  const amounts = [kib / 1024, limit / 1024 ** 2].filter((mib) => !Number.isNaN(mib));
  const mib = Math.floor(Math.min(...amounts));
  if (amounts.length === 0) return { check: 'memory', level: 'ok', detail: 'not known on this system' };
  if (mib >= MIN_MEMORY_MIB) return { check: 'memory', level: 'ok', detail: `${mib} MiB available` };
  return {
    check: 'memory',
    level: 'warn',
    detail: `${mib} MiB available, under ${MIN_MEMORY_MIB}`,
    fix: 'raise the memory limit, or lower --cores and --queues',
  };
}

function checkOpenFiles(files: Files): Finding {
  const text = /^Max open files\s+(\S+)/m.exec(files.text('proc/self/limits') ?? '')?.[1];
  const limit = text === undefined || text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  if (limit >= MIN_OPEN_FILES) return { check: 'open files', level: 'ok', detail: text ?? 'no limit known' };
  return {
    check: 'open files',
    level: 'warn',
    detail: `at most ${limit}; each connection is one`,
    fix: 'ulimit -n 65536   (systemd: LimitNOFILE=65536)',
  };
}

async function checkPort(machine: Machine, files: Files, { host, port }: Place): Promise<Finding> {
  const code = await machine.listenError(host, port);
  const check = `port ${port}`;
  if (code === undefined) return { check, level: 'ok', detail: `free on ${host}` };
  if (code === 'EADDRINUSE') {
    const owner = portOwner(files, port);
    const elsewhere = `warpdrive serve --port ${port === MAX_PORT ? 0 : port + 1}`;
    return {
      check,
      level: 'warn',
      detail: `${owner === undefined ? 'a process that this user may not see' : `${owner.name} (process ${owner.pid})`} listens on ${host}:${port} already ("warpdrive status" tells whether it is this service)`,
      fix:
        owner === undefined
          ? `${elsewhere}; who it is: sudo ss -ltnp 'sport = :${port}'`
          : `${elsewhere}, or kill ${owner.pid}`,
    };
  }
  return {
    check,
    level: 'fail',
    detail: `cannot listen on ${host}:${port} (${code})`,
    fix: 'choose --host and --port',
  };
}

async function checkAttach({ runFolder, root, uid, connectError }: Machine): Promise<Finding> {
  const check = 'attach socket';
  const path = join(runFolder, 'attach.sock');
  const files = new Files(root);
  if (!files.has(path)) {
    const usable = files.isUsable(runFolder, uid, []);
    return usable === false
      ? {
          check,
          level: 'fail',
          detail: `${runFolder} is not this user's`,
          fix: 'set WARPDRIVE_RUN_DIR to a private folder, or --attach-socket none',
        }
      : { check, level: 'ok', detail: `${path} is free` };
  }
  const code = await connectError(join(root, path));
  if (code === undefined) return { check, level: 'ok', detail: `a service listens on ${path}` };
  if (code === 'ECONNREFUSED')
    return { check, level: 'ok', detail: `${path} was left behind; the next service replaces it` };
  return {
    check,
    level: 'warn',
    detail: `${path} is there, but connecting fails (${code})`,
    fix: `join the group of ${path}, or run as its owner`,
  };
}

function checkPtrace(files: Files): Finding {
  const scope = Number(files.text('proc/sys/kernel/yama/ptrace_scope') ?? 0);
  if (scope < 2)
    return { check: 'ptrace', level: 'ok', detail: `scope ${scope}: queues in mode sva are possible` };
  return {
    check: 'ptrace',
    level: 'warn',
    detail: `kernel.yama.ptrace_scope is ${scope}: other processes cannot use mode sva`,
    fix: 'sudo sysctl kernel.yama.ptrace_scope=1, or attach in mode vfio',
  };
}
