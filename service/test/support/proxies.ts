import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../../src/ops/package.ts';

/** A real proxy with the sample configuration, its ports replaced by free ones. */
export interface RunningProxy {
  readonly url: string;
  /** What an operator does before an instance is stopped. @param instance 0 or 1 */
  takeOut(instance: number): Promise<void>;
  stop(): Promise<void>;
}

export interface ProxyKind {
  name: 'nginx' | 'haproxy';
  /** Why it cannot run here, for the test's skip line. */
  missing: string | undefined;
  start(instances: readonly string[]): Promise<RunningProxy>;
}

const PATH = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin`;
const SAMPLE_PORTS = ['127.0.0.1:8081', '127.0.0.1:8082'];

function missing(name: string): string | undefined {
  const { error } = spawnSync(name, ['-v'], { env: { ...process.env, PATH } });
  return error === undefined ? undefined : `${name} is not installed (apt-get install ${name})`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function sample(path: string, port: number, instances: readonly string[]): string {
  let text = readFileSync(join(PACKAGE_ROOT, 'service/deploy', path), 'utf8');
  const replace = (from: string, to: string) => {
    if (!text.includes(from)) throw new Error(`${path} has no "${from}"`);
    text = text.replace(from, to);
  };
  replace(path.startsWith('nginx') ? 'listen 80;' : 'bind :80', listenLine(path, port));
  SAMPLE_PORTS.forEach((address, i) => {
    replace(address, new URL(instances[i] ?? '').host);
  });
  return text;
}

const listenLine = (path: string, port: number) =>
  path.startsWith('nginx') ? `listen 127.0.0.1:${port};` : `bind 127.0.0.1:${port}`;

async function launch(command: string, args: string[], port: number): Promise<ChildProcess> {
  const child = spawn(command, args, { env: { ...process.env, PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
  for (let i = 0; i < 500 && child.exitCode === null; i++) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise((done) =>
      socket.once('connect', () => done(true)).once('error', () => done(false)),
    );
    socket.destroy();
    if (isThere) return child;
    await delay(20);
  }
  child.kill('SIGKILL');
  throw new Error(`${command} does not listen: ${said}`);
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
}

const nginx: ProxyKind = {
  name: 'nginx',
  missing: missing('nginx'),
  async start(instances) {
    const folder = mkdtempSync(join(tmpdir(), 'warpdrive-nginx-'));
    chmodSync(folder, 0o755); // its workers are another user when the tests run as root
    const port = await freePort();
    const site = join(folder, 'warpdrive.conf');
    const text = sample('nginx/warpdrive.conf', port, instances);
    writeFileSync(site, text);
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ');
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${folder}/pid; error_log stderr warn; worker_processes 1;\n` +
        `events { worker_connections 1024; }\nhttp { access_log off; ${temp} include ${site}; }\n`,
    );
    const child = await launch('nginx', ['-c', join(folder, 'nginx.conf')], port);
    return {
      url: `http://127.0.0.1:${port}`,
      async takeOut(instance) {
        const { host } = new URL(instances[instance] ?? '');
        writeFileSync(site, text.replace(`server ${host};`, `server ${host} down;`));
        child.kill('SIGHUP'); // nginx -s reload
      },
      stop: () => end(child, folder),
    };
  },
};

const haproxy: ProxyKind = {
  name: 'haproxy',
  missing: missing('haproxy'),
  async start(instances) {
    const folder = mkdtempSync(join(tmpdir(), 'warpdrive-haproxy-'));
    const port = await freePort();
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, sample('haproxy/haproxy.cfg', port, instances));
    const child = await launch('haproxy', ['-db', '-f', file], port);
    return {
      url: `http://127.0.0.1:${port}`,
      takeOut: async () => {}, // it asks /readyz
      stop: () => end(child, folder),
    };
  },
};

export const PROXIES: readonly ProxyKind[] = [nginx, haproxy];
