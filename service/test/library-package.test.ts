import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../src/ops/package.ts';
import { serve } from './serve-process.ts';

const run = promisify(execFile);

/** A user's project with this package installed; only its exports can be reached. */
const project = mkdtempSync(join(tmpdir(), 'warpdrive-user-'));
before(() => {
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  symlinkSync(PACKAGE_ROOT, join(project, 'node_modules', 'warpdrive'));
  for (const types of ['@types/node', 'undici-types'])
    symlinkSync(join(PACKAGE_ROOT, 'node_modules', types), join(project, 'node_modules', types));
});
after(() => rmSync(project, { recursive: true, force: true }));

async function script(name: string, text: string, env: Record<string, string> = {}): Promise<string> {
  writeFileSync(join(project, name), text);
  const { stdout, stderr } = await run(process.execPath, [name], {
    cwd: project,
    env: { ...process.env, ...env },
  });
  assert.equal(stderr, '');
  return stdout.trim();
}

describe('the package as its users see it', () => {
  it('replaces named, namespace and default imports of node:zlib', async () => {
    const text = `
      import zlib, { createGzip, gunzipSync } from 'warpdrive';
      import * as all from 'warpdrive';
      console.log(gunzipSync(zlib.gzipSync('abc')).toString(), all.constants.Z_SYNC_FLUSH, createGzip().core);
    `;
    assert.equal(await script('imports.js', text), 'abc 2 wasm');
  });
  it('has every function, class and constant of node:zlib that Node 20 documents', async () => {
    const text = `
      import * as node from 'node:zlib';
      import * as ours from 'warpdrive';
      const undocumented = ['codes', 'default'];
      const names = Object.keys(node).filter((name) => !undocumented.includes(name) && !/zstd/i.test(name));
      console.log(names.filter((name) => !(name in ours)).join());
    `;
    assert.equal(await script('names.js', text), '');
  });
  it('starts nothing and loads no native code when it is imported', async () => {
    const text = `
      import 'warpdrive';
      import 'warpdrive/client';
      console.log(process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|Port|Worker|Process/.test(name)).length);
      console.log(process.report.getReport().sharedObjects.filter((name) => /koffi|isal/.test(name)).length);
    `;
    assert.equal(await script('lazy.js', text), '0\n0');
  });
  it('lets the process end after any use', { timeout: 20_000 }, async () => {
    const text = `
      import { createGunzip, createGzip, gzip, gzipSync } from 'warpdrive';
      createGzip().write('left open');
      createGunzip().write(gzipSync('left open'));
      for (let i = 0; i < 20; i++) gzipSync(Buffer.alloc(1 << 20), { level: 1 }); // starts the self-test of ISA-L
      await gzip('x');
      console.log('end');
    `;
    assert.equal(await script('ends.js', text), 'end');
  });
  it('works with each core that is asked for', async () => {
    const text = `
      import { createGzip, gunzipSync, gzipSync } from 'warpdrive';
      const data = Buffer.alloc(200_000, 'some text that repeats');
      if (!gunzipSync(gzipSync(data, { level: 1 })).equals(data)) throw new Error('wrong bytes');
      console.log(createGzip({ level: 1 }).core);
    `;
    assert.equal(await script('core.js', text, { WARPDRIVE_CORE: 'wasm' }), 'wasm');
    assert.equal(await script('core.js', text, { WARPDRIVE_CORE: 'zlib' }), 'zlib');
    assert.match(await script('core.js', text, { WARPDRIVE_CORE: 'isal' }), /^(isal|wasm)$/);
  });
  it('attaches to a service as docs/library.md shows it', { timeout: 60_000 }, async () => {
    const docs = readFileSync(join(PACKAGE_ROOT, 'docs/library.md'), 'utf8');
    const [example] = docs.split('## Attached queues')[1]?.match(/(?<=```js\n).*?(?=```)/s) ?? [];
    assert.match(example ?? '', /await connect\(\)/);
    const socket = join(project, 'attach.sock');
    const service = await serve('--attach-socket', socket);
    const output = await script('attach.js', example ?? '', { WARPDRIVE_RUN_DIR: project });
    assert.match(output, /^ok \d+$/);
    service.child.kill();
    await service.result;
  });
  it('has types that a strict program compiles with', { timeout: 60_000 }, async () => {
    writeFileSync(
      join(project, 'user.ts'),
      `
      import type { Gzip, ZlibOptions } from 'node:zlib';
      import { compression, connect, constants, createGzip, gunzip, gzip, gzipSync, type WarpDrive } from 'warpdrive';
      import { openStream, type StreamSummary } from 'warpdrive/client';
      const options: ZlibOptions = { level: 9, flush: constants.Z_SYNC_FLUSH };
      const stream: Gzip = createGzip(options);
      const core: 'wasm' | 'isal' | 'zlib' = createGzip().core;
      const packed: Promise<Buffer> = gzip('abc', options);
      gunzip(await packed, (error: Error | null, result: Buffer) => void result.length);
      const drive: Promise<WarpDrive> = connect({ mode: 'sva' });
      const { readable, done } = await openStream({ url: 'http://localhost:8080', op: 'compress', level: 1 });
      const summary: StreamSummary = await done;
      compression({ threshold: '1kb', filter: (req, res) => req.method === 'GET' && !res.headersSent });
      // @ts-expect-error a level is a number
      gzipSync('abc', { level: 'high' });
      export { core, drive, readable, stream, summary };
      `,
    );
    const flags =
      '--noEmit --strict --exactOptionalPropertyTypes --target es2022 --module nodenext --lib es2023,dom,dom.iterable --types node';
    const tsc = join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, ...flags.split(' '), 'user.ts'], { cwd: project }).catch(
      (error: { stdout: string }) => assert.fail(error.stdout),
    );
  });
  it('packs what it needs and no tests', { timeout: 60_000 }, async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: PACKAGE_ROOT,
      maxBuffer: 64 << 20,
    });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const paths = new Set(files.map(({ path }) => path));
    for (const part of [
      'library/index.js',
      'library/index.d.ts',
      'client/index.js',
      'emulator/deflate/core.wasm',
    ])
      assert.ok(paths.has(`dist/service/src/${part}`), part);
    assert.deepEqual(
      [...paths].filter((path) => path.includes('.test.')),
      [],
    );
  });
});
