/**
 * Paths and writes below /v1/sysfs: never 500, and no file of the host is touched: every call of node:fs meanwhile is
 * looked at. Input: method (byte 0), the path, after a newline the text that PUT writes.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { ADMIN_TOKEN } from '../http-service.ts';
import { answersIn, exchange, expectProblem, openService } from './oracles.ts';
import { expect, type FuzzTarget, shown } from './target.ts';

const METHODS = ['GET', 'GET', 'PUT', 'GET', 'DELETE'] as const;
const QUIET_MS = 5000;
const NAMES = [
  'openSync',
  'readFileSync',
  'readdirSync',
  'statSync',
  'lstatSync',
  'readlinkSync',
  'writeFileSync',
  'unlinkSync',
  'rmSync',
  'mkdirSync',
  'open',
  'readFile',
  'readdir',
  'stat',
  'writeFile',
] as const;
/** What telemetry reads of its own process, and code that is loaded when it is first needed. */
const OWN = /^\/proc\/(self|\d+)(\/|$)|\/node_modules\//;

/** Tells every path that node:fs is asked for; what it returns ends that. */
function watchFiles(seen: (path: string) => void): () => void {
  const originals = NAMES.map((name) => [name, fs[name]] as const);
  for (const [name, original] of originals)
    Object.assign(fs, {
      [name](...parameters: unknown[]) {
        seen(`${name} ${String(parameters[0])}`);
        return Reflect.apply(original, fs, parameters);
      },
    });
  syncBuiltinESMExports();
  return () => {
    for (const [name, original] of originals) Object.assign(fs, { [name]: original });
    syncBuiltinESMExports();
  };
}

/** All that may stand in a request line stays as it is; the rest is percent-encoded. */
const inRequestLine = (path: string): string =>
  path.replaceAll(/[^!-~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);

const seed = (method: number, path: string, text = ''): Uint8Array =>
  Buffer.concat([Buffer.of(method), Buffer.from(`${path}\n${text}`, 'latin1')]);

export const sysfs: FuzzTarget = {
  name: 'sysfs',
  width: 16,
  maxBytes: 2048,
  dictionary: [
    ...[
      '/',
      '..',
      '../',
      '%2e%2e',
      '%2f',
      '%5c',
      '\\',
      '%00',
      '%',
      '%25',
      '//',
      './',
      '%c0%ae',
      '%ff',
      '?',
      '#',
      '*',
      '~',
    ],
    ...[
      'class',
      'uacce',
      'hisi_zip-0',
      'attrs',
      'bus',
      'mdev',
      'devices',
      'pci',
      'driver',
      'mdev_supported_types',
      'create',
    ],
    ...[
      'hisi_zip-zip',
      'kernel',
      'iommu_groups',
      '/etc/passwd',
      '/proc/self/environ',
      '__proto__',
      'constructor',
      'toString',
    ],
    ...[
      '0',
      '-1',
      '4294967296',
      '1e9',
      '0x10',
      'available_instances',
      'isolate',
      'isolate_strategy',
      'uuid',
      'remove',
      'link',
    ],
    ...['debug', 'hisi_zip', 'sriov_numvfs', 'unbind', '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001'],
  ],
  seeds: () => [
    seed(0, ''),
    seed(0, '/class/uacce/hisi_zip-0'),
    seed(0, '/class/uacce/hisi_zip-0/available_instances'),
    seed(0, '/sys/bus/mdev/devices'),
    seed(1, '/kernel/iommu_groups'),
    seed(0, '/class/uacce/../../../../etc/passwd'),
    seed(0, '/..%2f..%2f..%2fproc/self/environ'),
    seed(2, '/class/uacce/hisi_zip-0/isolate_strategy', '65535'),
    seed(
      2,
      '/class/mdev_bus/0000:75:00.0/mdev_supported_types/hisi_zip-zip/create',
      '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001',
    ),
    seed(4, '/class'),
  ],
  async open() {
    const service = await openService({ headerTimeout: 20, idleTimeout: 20 });
    const touched: string[] = [];
    const stopWatching = watchFiles((call) => {
      if (!OWN.test(call.split(' ')[1] ?? '')) touched.push(call);
    });
    return {
      async run(input) {
        const method = METHODS[(input[0] ?? 0) % METHODS.length] ?? 'GET';
        const [path = '', ...rest] = Buffer.from(input.subarray(1)).toString('latin1').split('\n');
        const text = Buffer.from(rest.join('\n'), 'latin1');
        const head = `${method} /v1/sysfs${inRequestLine(path)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n`;
        const more = `Authorization: Bearer ${ADMIN_TOKEN}\r\nContent-Length: ${text.length}\r\n\r\n`;
        const { bytes } = await exchange(
          service.port,
          Buffer.concat([Buffer.from(head + more), text]),
          0,
          QUIET_MS,
        );
        const [answer] = answersIn(bytes);
        expect(answer !== undefined, () => 'no answer');
        expectProblem(answer);
        if (answer.status === 200) {
          const body = JSON.parse(answer.body.toString()) as { path?: unknown; kind?: unknown };
          const isNamed = typeof body.path === 'string' && body.path.startsWith('/sys/');
          expect(isNamed || body.kind === undefined, () => `an entry outside /sys: ${shown(answer.body)}`);
        }
        return String(answer.status);
      },
      settle() {
        const calls = touched.splice(0);
        expect(calls.length === 0, () => `files of the host: ${calls.slice(0, 5).join(', ')}`);
        return Promise.resolve();
      },
      close() {
        stopWatching();
        return service.close();
      },
    };
  },
};
