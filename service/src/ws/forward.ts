import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { RefuseUpgrade, SocketRoute } from './upgrade.ts';

/** WebSockets that the process at a Unix socket serves: the handshake and all bytes after it go there unchanged. */
export class ForwardedSockets implements SocketRoute {
  private readonly open = new Set<Socket>();

  constructor(
    readonly protocol: string,
    private readonly socketPath: string,
    /** Header field that says whose connection it is. */
    private readonly peerField: string,
    private readonly refuse: RefuseUpgrade,
  ) {}

  accept(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onward = connect(this.socketPath);
    this.open.add(onward);
    let isThere = false;
    onward.on('connect', () => {
      isThere = true;
      onward.write(headOf(req, this.peerField), 'latin1');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => {
      if (isThere) socket.destroy();
      else
        this.refuse(req, socket, new WarpDriveError('WD_E_DRAINING', 'the primary process does not answer'));
    });
    onward.on('close', () => this.open.delete(onward));
    socket.on('close', () => onward.destroy());
  }

  /** The serving process says goodbye itself. */
  close(): void {}

  terminate(): void {
    for (const socket of this.open) socket.destroy();
  }
}

function headOf({ method, url, rawHeaders, socket }: IncomingMessage, peerField: string): string {
  let head = `${method} ${url} HTTP/1.1\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.toLowerCase() !== peerField.toLowerCase())
      head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  head += `${peerField}: ${socket.remoteAddress ?? ''}\r\n`;
  return `${head}\r\n`;
}
