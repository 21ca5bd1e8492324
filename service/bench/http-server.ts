/** A baseline server of the HTTP benchmark in a process of its own: `node http-server.js NAME` prints its URL. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import express, { type Request, type Response } from 'express';

const LEVEL = 1;

function count(req: IncomingMessage, res: ServerResponse): void {
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  req.on('end', () => {
    res.writeHead(200, { 'Content-Type': 'text/plain' });
    res.end(String(bytes));
  });
}

function gzipWhole(req: IncomingMessage, res: ServerResponse): void {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const product = gzipSync(Buffer.concat(chunks), { level: LEVEL });
    res.writeHead(200, { 'Content-Type': 'application/gzip', 'Content-Length': product.length });
    res.end(product);
  });
}

function gzipStream(req: Request, res: Response): void {
  res.type('application/gzip');
  pipeline(req, createGzip({ level: LEVEL }), res, () => {});
}

function expressWith(handler: (req: Request, res: Response) => void): RequestListener {
  return express().post('/v1/compress', handler);
}

const LISTENERS: Readonly<Record<string, () => RequestListener>> = {
  'node-count': () => count,
  'node-gzipsync': () => gzipWhole,
  'express-count': () => expressWith(count),
  'express-gzip': () => expressWith(gzipStream),
};

const listener = LISTENERS[process.argv[2] ?? '']?.();
if (listener === undefined) throw new Error(`one of ${Object.keys(LISTENERS).join(', ')} expected`);
const server = createServer(listener).listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
