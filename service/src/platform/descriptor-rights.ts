import { readFileSync, readlinkSync } from 'node:fs';

/** Whose numbers and paths mean the same to both, and who may look at whom. */
const NAMESPACES = ['pid', 'user', 'mnt'];

/**
 * Whether process `pid` may open what is below /proc/<our pid>/fd: same user, group and namespaces, and all capabilities
 * that we have (ptrace(2), PTRACE_MODE_READ_FSCREDS). False also where the host does not let us see that.
 */
export function mayOpenOurDescriptors(pid: number): boolean {
  try {
    const [ours, theirs] = [rightsOf('self'), rightsOf(String(pid))];
    return (
      ours.users.every((id) => id === theirs.users.at(-1)) &&
      ours.groups.every((id) => id === theirs.groups.at(-1)) &&
      (ours.capabilities & ~theirs.capabilities) === 0n &&
      ours.namespaces.every((name, i) => name === theirs.namespaces[i])
    );
  } catch {
    return false;
  }
}

/** Users and groups: real, effective, saved, file system (proc_pid_status(5)). */
function rightsOf(pid: string) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const words = (key: string): string[] =>
    new RegExp(`^${key}:\\s+(.+)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? [];
  return {
    users: words('Uid'),
    groups: words('Gid'),
    capabilities: BigInt(`0x${words('CapPrm')[0]}`),
    namespaces: NAMESPACES.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`)),
  };
}
