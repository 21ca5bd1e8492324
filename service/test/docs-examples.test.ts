import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createHost } from '../src/host.ts';
import { PACKAGE_ROOT } from '../src/ops/package.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText } from './http-client.ts';
import { ADMIN_TOKEN, serviceOn } from './http-service.ts';

/**
 * Runs the examples of README.md and docs/*.md: fenced blocks whose info string begins with `sh test`, in bash, and
 * `js test`, in Node, each in a folder of its own with a file `access.log`, against a live service. The address
 * `http://127.0.0.1:8080` stands for that service, `ws://…` too; `$TOKEN` is its admin token; `npm run -s warpdrive --` and
 * `warpdrive` run the command line; `import … from 'warpdrive'` is this package. `needs=pigz,jq` names programs without
 * which the example is skipped. A failing command fails the block.
 */
interface Example {
  where: string;
  language: 'sh' | 'js';
  needs: readonly string[];
  text: string;
}

const DOCUMENTED_URL = '127.0.0.1:8080';
const MAIN = join(PACKAGE_ROOT, 'dist/service/src/main.js');
const BLOCK = /^```(sh|js) test(?: needs=(\S+))?\n(.*?)^```$/gms;

function examplesOf(file: string): Example[] {
  const text = readFileSync(join(PACKAGE_ROOT, file), 'utf8');
  return [...text.matchAll(BLOCK)].map((match) => ({
    where: `${file}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1] === 'js' ? 'js' : 'sh',
    needs: match[2]?.split(',') ?? [],
    text: match[3] ?? '',
  }));
}

const files = ['README.md', ...readdirSync(join(PACKAGE_ROOT, 'docs')).map((name) => `docs/${name}`)];
const examples = files.filter((name) => name.endsWith('.md')).flatMap(examplesOf);
const isInstalled = (program: string) => spawnSync('which', [program]).status === 0;

describe('the examples in the documentation', () => {
  let service: RunningService;
  let tools: string;
  before(async () => {
    const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
    service = await serviceOn(host);
    tools = mkdtempSync(join(tmpdir(), 'warpdrive-docs-tools-'));
    writeFileSync(join(tools, 'warpdrive'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(join(tools, 'warpdrive'), 0o755);
  });
  after(async () => {
    await service.stop();
    rmSync(tools, { recursive: true, force: true });
  });

  it('are there', () => assert.ok(examples.length > 5, `${examples.length} examples`));

  for (const { where, language, needs, text } of examples) {
    const missing = needs.filter((program) => !isInstalled(program));
    const skip = missing.length > 0 ? `${missing.join(', ')} not installed` : false;
    it(where, { skip }, async () => {
      const live = text
        .replaceAll(DOCUMENTED_URL, new URL(service.url).host)
        .replaceAll('npm run -s warpdrive --', 'warpdrive');
      // Node finds the package by its own name only from inside of it
      const parent = language === 'js' ? join(PACKAGE_ROOT, 'dist') : tmpdir();
      const folder = mkdtempSync(join(parent, 'docs-example-'));
      writeFileSync(join(folder, 'access.log'), jsonText(200_000));
      try {
        const { code, output } = await run(language, live, folder, tools);
        assert.equal(code, 0, `${text}\n${output}`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});

function run(
  language: Example['language'],
  text: string,
  cwd: string,
  tools: string,
): Promise<{ code: number | null; output: string }> {
  const script = join(cwd, language === 'js' ? 'example.mjs' : 'example.sh');
  writeFileSync(script, text);
  const [program, args] =
    language === 'js' ? [process.execPath, [script]] : ['bash', ['-euo', 'pipefail', script]];
  const env = { ...process.env, PATH: `${tools}:${process.env['PATH']}`, TOKEN: ADMIN_TOKEN };
  const child = spawn(program, args, { cwd, env, timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
