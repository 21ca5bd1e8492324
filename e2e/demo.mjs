// npm run demo: a service, honest load from several processes, a client with defects, and the monitor on top.
// Options: --port N (default 8080), --no-open. Ctrl+C ends everything.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8080' }, 'no-open': { type: 'boolean', default: false } },
});
const TOKEN = 'demo-admin-token';
const folder = mkdtempSync(join(tmpdir(), 'warpdrive-demo-'));
const socket = join(folder, 'attach.sock');
const children = new Set();
let isOver = false;

function start(name, file, ...args) {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.once('exit', (code, signal) => {
    children.delete(child);
    if (!isOver && signal === null && code !== 0) console.error(`${name} ended with code ${code}`);
  });
  return child;
}

function firstUrl(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`the service did not start:\n${output}`)));
  });
}

async function end(code) {
  if (isOver) return;
  isOver = true;
  for (const child of children) child.kill('SIGTERM');
  await Promise.all([...children].map((child) => new Promise((gone) => child.once('exit', gone))));
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
process.on('SIGINT', () => void end(0));
process.on('SIGTERM', () => void end(0));

const flags = [
  '--port',
  values.port,
  '--attach-socket',
  socket,
  '--admin-token',
  TOKEN,
  '--log-level',
  'error',
];
const service = start('service', 'dist/service/src/main.js', 'serve', ...flags);
const url = await firstUrl(service).catch((error) => {
  console.error(error.message);
  return end(1);
});
service.once('exit', () => void end(1));
start('web backend', 'e2e/clients/http-client.mjs', url, '2', '200000', '30');
start('log archive', 'e2e/clients/http-client.mjs', url, '1', '4000000', '200');
start('log shipper', 'e2e/clients/attached-client.mjs', socket, 'sva', '3', '65536', '10', 'log-shipper');
start('backup', 'e2e/clients/attached-client.mjs', socket, 'vfio', '2', '262144', '40', 'backup');
start('client with defects', 'e2e/clients/broken-client.mjs', socket, '700');

const page = `${url}/monitor/`;
console.log(
  [
    `Monitor      ${page}`,
    `Admin token  ${TOKEN}   (press A in the monitor)`,
    'Running      web backend and log archive (HTTP), log-shipper (SVA queues), backup (private mappings),',
    '             broken-client: submits memory that it has freed, so real IOMMU faults come in',
    'Ctrl+C ends everything.',
  ].join('\n'),
);
if (!values['no-open']) {
  const command = { darwin: 'open', win32: 'explorer' }[process.platform] ?? 'xdg-open';
  spawn(command, [page], { stdio: 'ignore' }).on('error', () => console.log(`Open ${page} in a browser.`));
}
