import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { NODE_FLAGS } from '../src/ops/node-flags.ts';
import { PACKAGE_ROOT } from '../src/ops/package.ts';

const DEPLOY = join(PACKAGE_ROOT, 'service/deploy');
const folder = mkdtempSync(join(tmpdir(), 'warpdrive-deploy-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');
const run = (command: string, args: string[], cwd = folder) =>
  spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' } });

describe('the systemd unit', () => {
  const unit = join(DEPLOY, 'systemd/warpdrive.service');
  const tool = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
  const skip = tool.error === undefined ? false : 'systemd-analyze is not installed';

  it('has no line that systemd does not understand', { skip }, () => {
    const { status, stdout, stderr } = run('systemd-analyze', ['verify', '--man=no', unit]);
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('warpdrive'));
    assert.deepEqual(said, []);
    assert.equal(status, 0);
  });

  it('leaves a service exposed no more than 2 of 10', { skip }, (t) => {
    const { status, stdout, stderr } = run('systemd-analyze', [
      'security',
      '--offline=true',
      '--threshold=20',
      unit,
    ]);
    if (/unrecognized option|Failed to (acquire|mount|create)/.test(stderr)) {
      t.skip(`systemd-analyze security does not run here: ${stderr.trim()}`);
      return;
    }
    assert.equal(status, 0, stdout + stderr);
  });
});

/** Instructions with their continuation lines joined, comments left out. */
function instructions(text: string): { name: string; rest: string }[] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, rest };
    });
}

describe('the flags of Node', () => {
  it('are those of node-flags.ts in the first line of the command and in npm start', () => {
    const main = readFileSync(join(PACKAGE_ROOT, 'dist/service/src/main.js'), 'utf8');
    assert.equal(main.split('\n', 1)[0], ['#!/usr/bin/env -S node', ...NODE_FLAGS].join(' '));
    const { scripts } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
      scripts: { start: string };
    };
    assert.match(scripts.start, new RegExp(`node ${NODE_FLAGS.join(' ')} dist/service/src/main.js serve$`));
  });
});

describe('the Containerfile', () => {
  const all = instructions(read('container/Containerfile'));
  const final = all.slice(all.map(({ name }) => name).lastIndexOf('FROM'));
  const one = (name: string): string => {
    const found = final.filter((instruction) => instruction.name === name);
    assert.equal(found.length, 1, `one ${name} in the last stage`);
    return found[0]?.rest ?? '';
  };

  it('ends in a stage that runs node itself, as a numeric user, with a health check by node', () => {
    assert.match(one('USER'), /^[1-9]\d*:[1-9]\d*$/);
    assert.equal(one('STOPSIGNAL'), 'SIGTERM');
    assert.deepEqual(JSON.parse(one('ENTRYPOINT')), ['node', ...NODE_FLAGS, 'dist/service/src/main.js']);
    assert.match(one('HEALTHCHECK'), /CMD \["node", "-e", /);
    for (const { name, rest } of all) {
      assert.match(
        name,
        /^(FROM|WORKDIR|COPY|RUN|LABEL|ENV|USER|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/,
      );
      if (name === 'FROM') assert.match(rest, /^docker\.io\/library\/node:\d+-\w+-slim( AS \w+)?$/);
    }
  });

  it('runs scripts that exist and copies files that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const runs = all
      .filter(({ name }) => name === 'RUN')
      .flatMap(({ rest }) => [...rest.matchAll(/npm run (\S+)/g)]);
    assert.ok(runs.length >= 3);
    for (const [, script = ''] of runs) assert.ok(script in scripts, script);
    const sources = all
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    for (const source of sources) assert.ok(existsSync(join(PACKAGE_ROOT, source)), source);
  });

  it('needs production dependencies only: its last stage, made by the same npm step, serves and is healthy', async (t) => {
    const install =
      all
        .find(({ rest }) => rest.includes('--omit=dev'))
        ?.rest.split('&&')[0]
        ?.trim() ?? '';
    for (const name of ['package.json', 'package-lock.json'])
      cpSync(join(PACKAGE_ROOT, name), join(folder, name));
    const installed = run('sh', ['-c', `${install} --no-audit --no-fund --prefer-offline`]);
    if (/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT/.test(installed.stderr)) {
      t.skip('the npm registry is not reachable');
      return;
    }
    assert.equal(installed.status, 0, installed.stderr);
    assert.equal(existsSync(join(folder, 'node_modules/typescript')), false);
    cpSync(join(PACKAGE_ROOT, 'dist'), join(folder, 'dist'), {
      recursive: true,
      filter: (path) => !path.includes('.test.') && !path.includes('dist/service/test'),
    });
    const [node = '', ...entry] = JSON.parse(one('ENTRYPOINT')) as string[];
    const child = spawn(node, [...entry, ...(JSON.parse(one('CMD')) as string[])], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        WARPDRIVE_PORT: '0',
        WARPDRIVE_CORES: '1',
        WARPDRIVE_RUN_DIR: folder,
      },
    });
    const gone = once(child, 'exit') as Promise<[number]>;
    try {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk));
      child.stdout.on('data', (chunk: Buffer) => (said += chunk));
      while (!said.includes('API ')) {
        await Promise.race([once(child.stdout, 'data'), gone]);
        assert.equal(child.exitCode, null, said);
      }
      const port = /:(\d+)$/m.exec(said)?.[1] ?? '';
      const check = JSON.parse(/CMD (\[.*\])$/.exec(one('HEALTHCHECK'))?.[1] ?? '') as string[];
      const health = (env: Record<string, string>) =>
        spawnSync(check[0] ?? '', check.slice(1), { env: { PATH: process.env['PATH'], ...env } }).status;
      assert.equal(health({ WARPDRIVE_PORT: port }), 0);
      assert.equal(health({ WARPDRIVE_PORT: '1' }), 1);
      child.kill('SIGTERM');
      assert.equal((await gone)[0], 0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

/** Where kubernetes-models has the validator and the type of each kind that the manifests use. */
const KINDS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  Service: 'v1',
  Deployment: 'apps/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  PodDisruptionBudget: 'policy/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};

interface Manifest {
  apiVersion: string;
  kind: string;
  spec?: { selector?: unknown };
  data?: Record<string, string>;
}
interface Model {
  new (data: Manifest): { validate(): void };
}

const manifests = (path: string): Manifest[] =>
  parseAllDocuments(read(path)).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });

/** Compiles the documents as typed literals: unlike the JSON schema, a type refuses unknown fields. */
function typeCheck(documents: readonly Manifest[]): string {
  const work = mkdtempSync(join(folder, 'types-'));
  symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(work, 'node_modules'));
  const source = documents.map(({ kind, apiVersion, ...rest }, i) => {
    const body = JSON.stringify({ apiVersion, kind, ...rest });
    return `import type { I${kind} as T${i} } from 'kubernetes-models/${KINDS[kind]}';\nexport const d${i}: T${i} = ${body};\n`;
  });
  writeFileSync(join(work, 'manifest.ts'), source.join(''));
  const tsc = join(PACKAGE_ROOT, 'node_modules/.bin/tsc');
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
  return run(tsc, [...flags, 'manifest.ts'], work).stdout;
}

describe('the Kubernetes manifests', () => {
  const main = manifests('kubernetes/warpdrive.yaml');

  it('are valid by the schemas of the API', async () => {
    assert.deepEqual(main.map(({ kind }) => kind).sort(), Object.keys(KINDS).sort());
    for (const document of main) {
      const { [document.kind]: Kind } = (await import(`kubernetes-models/${KINDS[document.kind]}`)) as Record<
        string,
        Model
      >;
      assert.ok(Kind !== undefined);
      assert.equal(document.apiVersion, KINDS[document.kind]);
      new Kind(document).validate();
      const broken = {
        ...document,
        spec: { replicas: 'two', selector: 3, podSelector: 3, ports: 'x' },
        data: { a: 1 as never },
      };
      assert.throws(() => new Kind(broken).validate(), `${document.kind} is really checked`);
    }
  });

  it('have no field that the API does not know', () => {
    assert.equal(typeCheck(main), '');
    const overlay = manifests('kubernetes/real-device.yaml');
    assert.equal(typeCheck(overlay), '');
    const misspelt = JSON.parse(
      JSON.stringify(main).replaceAll('readinessProbe', 'readynessProbe'),
    ) as Manifest[];
    assert.match(typeCheck(misspelt), /readynessProbe/);
  });

  it('give the service a configuration that it accepts', () => {
    const text = main.find(({ kind }) => kind === 'ConfigMap')?.data?.['config.toml'] ?? '';
    writeFileSync(join(folder, 'config.toml'), text);
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(PACKAGE_ROOT, 'dist/service/src/main.js'), 'serve', '--check-config', '--config', 'config.toml'],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, WARPDRIVE_ADMIN_TOKEN: 'token-of-the-test' } },
    );
    assert.equal(status, 0, stderr);
  });
});
