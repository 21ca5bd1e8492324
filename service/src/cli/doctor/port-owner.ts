import type { Files } from './machine.ts';

/** include/net/tcp_states.h, TCP_LISTEN. */
const LISTEN = '0A';
/** Fields of a line of /proc/net/tcp (Linux Documentation/networking/proc_net_tcp.rst). */
const LOCAL = 1;
const STATE = 3;
const INODE = 9;

/** The process that listens on a TCP port; undefined where it is another user's, or in another network namespace. */
export function portOwner(files: Files, port: number): { pid: number; name: string } | undefined {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listenersOn(files, table, port)));
  if (sockets.size === 0) return undefined;
  for (const pid of files.names('proc').filter((name) => /^\d+$/.test(name)))
    for (const fd of files.names(`proc/${pid}/fd`))
      if (sockets.has(files.link(`proc/${pid}/fd/${fd}`) ?? ''))
        return { pid: Number(pid), name: files.text(`proc/${pid}/comm`) ?? '?' };
  return undefined;
}

/** Link targets, as in /proc/<pid>/fd, of the sockets that listen on the port. */
function listenersOn(files: Files, table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return (files.text(`proc/net/${table}`) ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[STATE] === LISTEN && fields[LOCAL]?.endsWith(suffix))
    .map((fields) => `socket:[${fields[INODE]}]`);
}
