import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createProgram } from '../src/cli/program.ts';
import { configTable } from '../src/config/reference.ts';
import { PACKAGE_ROOT } from '../src/ops/package.ts';
import { file, folder, run } from './cli-process.ts';
import { serve } from './serve-process.ts';

const isMissing = (tool: string): string | false =>
  spawnSync(tool, ['--version']).error === undefined ? false : `${tool} is not installed`;
const textOf = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');

describe('warpdrive completion', () => {
  it('makes bash complete commands, subcommands, options, values and files', async () => {
    const { stdout } = await run(['completion', 'bash']);
    writeFileSync(file('completion.bash'), stdout);
    writeFileSync(file('a-file.gz'), '');
    const complete = (...words: string[]): string[] => {
      const quoted = ['warpdrive', ...words].map((word) => `'${word}'`).join(' ');
      const script = `source completion.bash; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _warpdrive; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const done = spawnSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' });
      assert.equal(done.stderr, '');
      return done.stdout.split('\n').filter(Boolean);
    };
    assert.deepEqual(complete('dec'), ['decompress']);
    assert.deepEqual(complete('mdev', 'cr'), ['create']);
    assert.deepEqual(complete('faults', 'inj'), ['inject', 'injected']);
    assert.deepEqual(complete('faults', 'inject', 'core-'), ['core-hang', 'core-crash']);
    assert.deepEqual(complete('serve', '--max-i'), ['--max-input']);
    assert.deepEqual(complete('serve', '--core', ''), ['auto', 'wasm', 'isal', 'zlib']);
    assert.deepEqual(complete('compress', '-F', 'z'), ['zlib']);
    assert.deepEqual(complete('decompress', '-f', 'a-f'), ['a-file.gz']);
    assert.deepEqual(complete('serve', '--config', 'a-f'), ['a-file.gz']);
    assert.deepEqual(complete('completion', ''), ['bash', 'zsh', 'fish', '-h', '--help']);
    assert.ok(complete('').includes('top'));
  });

  for (const [shell, check] of [
    ['zsh', ['-n']],
    ['fish', ['--no-execute']],
  ] as const)
    it(`prints a script that ${shell} parses`, { skip: isMissing(shell) }, async () => {
      const { stdout } = await run(['completion', shell]);
      writeFileSync(file(`completion.${shell}`), stdout);
      assert.equal(spawnSync(shell, [...check, file(`completion.${shell}`)]).status, 0);
    });

  it('describes commands and values to fish', async () => {
    const text = (await run(['completion', 'fish'])).stdout.toString();
    assert.match(
      text,
      /^complete -c warpdrive -n '__fish_use_subcommand' -f -a serve -d 'start the service'$/m,
    );
    assert.match(text, /-n '__fish_seen_subcommand_from serve' -l core -r -f -a 'auto wasm isal zlib'/);
    assert.equal((await run(['completion', 'tcsh'])).code, 2);
  });
});

const hintOf = async (...args: string[]): Promise<string | undefined> => {
  const { code, stderr } = await run(args);
  assert.equal(code, 2);
  assert.match(stderr, /^error: .*\n(.*\n)?\(--help shows usage\)\n$/);
  return /\(Did you.*\)/.exec(stderr)?.[0];
};

describe('warpdrive help', () => {
  it('gives every command a description, examples and its exit codes', () => {
    for (const command of createProgram(() => {}).commands) {
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
      assert.match(text, /Examples:\n {2}\$ warpdrive/, command.name());
      assert.match(text, /Exit codes: 0/, command.name());
      assert.notEqual(command.description(), '', command.name());
    }
  });

  it('asks whether something near was meant', async () => {
    const command = await run(['decompres']);
    assert.equal(command.code, 2);
    assert.match(command.stderr, /Did you mean decompress\?/);
    const option = await run(['serve', '--prot', '1']);
    assert.equal(option.code, 2);
    assert.match(option.stderr, /Did you mean --port\?/);
    for (const [args, hint] of [
      [['dev'], 'devices'],
      [['tpo'], 'top'],
      [['comp'], 'compress or completion'],
      [['mdev', 'lst'], 'list'],
      [['faults', 'injct', 'stall'], 'inject'],
      [['top', '--intervall=2s'], '--interval'],
    ] as const)
      assert.equal(await hintOf(...args), `(Did you mean ${hint}?)`);
    const topic = await run(['help', 'nope']);
    assert.equal(topic.code, 2);
    assert.match(topic.stderr, /error: unknown command 'nope'\n$/);
    for (const far of ['nope', 'x', 'start', 'gunzip']) assert.equal(await hintOf(far), undefined, far);
  });

  it('has a manual page that is the one in service/deploy and that groff reads without a warning', async () => {
    const page = (await run(['man'])).stdout.toString();
    assert.equal(page, textOf('service/deploy/man/warpdrive.1'), 'run: npm run man');
    if (isMissing('groff') === false) {
      const { status, stderr, stdout } = spawnSync('groff', ['-man', '-Tutf8', '-ww'], {
        input: page,
        encoding: 'utf8',
      });
      assert.equal(stderr, '');
      assert.equal(status, 0);
      // bold is a letter, a backspace and the letter again, or an escape sequence
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals get
      assert.match(stdout.replace(/.\u0008|\u001b\[[0-9;]*m/g, ''), /EXIT STATUS/);
    }
  });

  it('lists in docs/operations.md the options that the schema has', () => {
    assert.ok(textOf('docs/operations.md').includes(configTable()), `the table should be:\n${configTable()}`);
  });
});

describe('warpdrive doctor', () => {
  const root = file('root');
  after(() => rmSync(root, { recursive: true, force: true }));

  it('exits 1 when something fails and 0 when nothing does, as text and as JSON', async () => {
    mkdirSync(join(root, 'sys/class/uacce/hisi_zip-0'), { recursive: true });
    const failing = await run(['doctor', '--root', root, '--port', '0', '--json']);
    assert.equal(failing.code, 1);
    const body = JSON.parse(failing.stdout.toString()) as {
      ok: boolean;
      findings: { check: string; level: string }[];
    };
    assert.equal(body.ok, false);
    assert.ok(body.findings.some(({ check, level }) => check === 'device hisi_zip-0' && level === 'fail'));
    rmSync(root, { recursive: true });
    mkdirSync(root);
    const content = await run(['doctor', '--root', root, '--port', '0']);
    assert.equal(content.code, 0, content.stdout.toString());
    assert.match(content.stdout.toString(), /^warn {2}isal .*\n +fix: sudo apt-get install libisal2/m);
    rmSync(root, { recursive: true });
  });
});

describe('warpdrive status --wait', () => {
  it('returns when the service is ready and gives up in time when there is none', async () => {
    const late = run(['status', '--wait', '300ms'], undefined, { WARPDRIVE_URL: 'http://127.0.0.1:1' });
    assert.equal((await late).code, 69);
    const { url } = await serve();
    const { code, stdout } = await run(['status', '--wait', '20s'], undefined, { WARPDRIVE_URL: url });
    assert.equal(code, 0);
    assert.match(stdout.toString(), /state +ready/);
  });
});

describe('docs/operations.md', () => {
  it('has every metric of the service and none that it does not have', async () => {
    const { url } = await serve();
    const text = await (await fetch(`${url}/metrics`)).text();
    const served = [...text.matchAll(/^# TYPE (warpdrive_\w+) /gm)].map(([, name]) => name);
    const documented = [...textOf('docs/operations.md').matchAll(/^\| `(warpdrive_\w+)` \|/gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual(documented.sort(), served.sort());
  });
});
