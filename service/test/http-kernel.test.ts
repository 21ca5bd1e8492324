import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { ADMIN_TOKEN, serviceOn } from './http-service.ts';

const UUID = '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001';
const ADMIN = { Authorization: `Bearer ${ADMIN_TOKEN}` };

let host: Host;
let service: RunningService;
before(async () => {
  host = await createHost({ mode: 'sva', core: 'zlib', cores: 0, queues: 2 }, silentLog);
  service = await serviceOn(host);
});
after(() => service.stop());

async function call(method: string, path: string, options: { body?: unknown; headers?: object } = {}) {
  const isText = typeof options.body === 'string';
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { 'Content-Type': isText ? 'text/plain' : 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: isText ? String(options.body) : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === '' ? undefined : JSON.parse(text),
  };
}

const create = (body: unknown, headers: object = ADMIN) => call('POST', '/v1/mdevs', { body, headers });
const available = async (): Promise<number> =>
  Number((await call('GET', '/v1/sysfs/class/uacce/hisi_zip-0/available_instances')).json.text);

describe('POST and DELETE /v1/mdevs', () => {
  it('create and remove, with the queue taken from create to remove', async () => {
    const before = await available();
    const made = await create({ uuid: UUID, type: 'hisi_zip-zip', priorityClass: 5 });
    assert.deepEqual([made.status, made.headers.get('location')], [201, `/v1/mdevs/${UUID}`]);
    assert.deepEqual([made.json.state, made.json.priorityClass], ['created', 5]);
    assert.equal(await available(), before - 1);
    assert.equal((await call('GET', `/v1/mdevs/${UUID}`)).json.uuid, UUID);
    assert.equal((await call('DELETE', `/v1/mdevs/${UUID}`, { headers: ADMIN })).status, 204);
    assert.equal(await available(), before);
  });
  it('name the errno of every refusal', async () => {
    const errno = async (answer: Promise<{ status: number; json: Record<string, unknown> }>) => {
      const { status, json } = await answer;
      return [status, json['errno']];
    };
    assert.deepEqual(await errno(create({ type: 'hisi_zip-zip' }, {})), [401, 'EACCES']);
    const stranger = { Authorization: 'Bearer wrong' };
    assert.deepEqual(await errno(create({ type: 'hisi_zip-zip' }, stranger)), [403, 'EACCES']);
    for (const body of [
      {},
      { type: 'no-such' },
      { type: 'hisi_zip-zip', uuid: 'x' },
      { type: 'hisi_zip-zip', priorityClass: 16 },
      { type: 'hisi_zip-zip', more: 1 },
      [],
    ])
      assert.deepEqual(await errno(create(body)), [400, 'EINVAL'], JSON.stringify(body));
    const { json } = await create({ type: 'hisi_zip-zip', more: 1 });
    assert.equal(json.field, 'more');
    assert.deepEqual(json.allowed, ['uuid', 'type', 'dmaPoolBytes', 'priorityClass']);
    await create({ uuid: UUID, type: 'hisi_zip-zip' });
    assert.deepEqual(await errno(create({ uuid: UUID, type: 'hisi_zip-zip' })), [409, 'EEXIST']);
    assert.deepEqual(await errno(call('DELETE', `/v1/mdevs/${UUID}`)), [401, 'EACCES']);
    const remove = (uuid: string) => errno(call('DELETE', `/v1/mdevs/${uuid}`, { headers: ADMIN }));
    const [inUse] = host.view.mdevs();
    assert.deepEqual(await remove(inUse?.uuid ?? ''), [409, 'EBUSY']);
    await remove(UUID).catch(() => {});
    assert.deepEqual(await remove(UUID), [404, 'ENODEV']);
  });
  it('list the types with what is available', async () => {
    const { types } = (await call('GET', '/v1/mdevs/types')).json;
    assert.deepEqual(
      types.map(({ id, policy }: { id: string; policy: string }) => [id, policy]),
      [
        ['hisi_zip-zip', 'on-create'],
        ['hisi_zip-zip_on_open', 'on-open'],
      ],
    );
  });
});

describe('/v1/sysfs', () => {
  it('answers directories, files and where a link leads', async () => {
    const root = (await call('GET', '/v1/sysfs')).json;
    assert.deepEqual(
      root.entries.map(({ name }: { name: string }) => name),
      ['bus', 'class', 'devices', 'kernel'],
    );
    const device = (await call('GET', '/v1/sysfs/sys/class/uacce/hisi_zip-0')).json;
    assert.equal(device.target, '/sys/devices/pci0000:75/0000:75:00.0/uacce/hisi_zip-0');
    assert.equal((await call('GET', '/v1/sysfs/class/uacce/hisi_zip-0/api')).json.text, 'hisi_qm_v3\n');
  });
  it('never leaves the tree', async () => {
    for (const path of ['..%2f..%2fetc/passwd', '%2e%2e/%2e%2e/etc/passwd', '%00', 'class/%ff'])
      assert.ok([400, 404].includes((await call('GET', `/v1/sysfs/${path}`)).status), path);
  });
  it('writes attributes for the administrator alone', async () => {
    const path = '/v1/sysfs/class/uacce/hisi_zip-0/isolate_strategy';
    assert.equal((await call('PUT', path, { body: '3' })).status, 401);
    assert.equal((await call('PUT', path, { body: '3\n', headers: ADMIN })).status, 204);
    assert.equal((await call('GET', path)).json.text, '3\n');
    assert.equal((await call('PUT', path, { body: '-3', headers: ADMIN })).json.errno, 'EINVAL');
    assert.equal((await call('POST', path, { body: '3' })).status, 405);
    const create = '/v1/sysfs/class/mdev_bus/0000:75:00.0/mdev_supported_types/hisi_zip-zip/create';
    assert.equal((await call('GET', create, { headers: ADMIN })).json.errno, 'EACCES');
  });
});

describe('GET /v1/iommu', () => {
  it('shows PASIDs to the administrator and to nobody else', async () => {
    const forAll = (await call('GET', '/v1/iommu')).json;
    assert.equal(forAll.devices[0].bound.length, 1);
    assert.doesNotMatch(JSON.stringify(forAll), /"pasid"|ssid: 0x/);
    const forAdmin = (await call('GET', '/v1/iommu', { headers: ADMIN })).json;
    assert.ok(forAdmin.devices[0].bound[0].pasid > 0);
  });
});

describe('PATCH /v1/iommu', () => {
  const patch = (body: unknown, headers: object = ADMIN) => call('PATCH', '/v1/iommu', { body, headers });
  it('toggles the fault model of the device, visible in its attributes', async () => {
    const flags = async () => (await call('GET', '/v1/sysfs/class/uacce/hisi_zip-0/flags')).json.text;
    assert.equal((await patch({ faultModel: 'none' })).json.devices[0].faultModel, 'none');
    assert.equal(await flags(), '0\n');
    await patch({ faultModel: 'stall' });
    assert.equal(await flags(), '1\n');
    const { json: wrong } = await patch({ faultModel: 'magic' });
    assert.deepEqual([wrong.errno, wrong.field, wrong.value], ['EINVAL', 'faultModel', 'magic']);
    assert.deepEqual(wrong.allowed, ['none', 'stall', 'pri']);
    assert.equal((await patch({ faultModel: 'none' }, {})).status, 401);
  });
  it('holds page requests: a job stalls, is seen with its age, and completes when it is let go', async () => {
    await patch({ hold: true });
    const text = 'first touch of fresh memory\n'.repeat(200);
    const compressed = fetch(`${service.url}/v1/compress`, { method: 'POST', body: text });
    let stalls: { stag: number; pasid: number; ageMs: number; access: string }[] = [];
    const look = async () => {
      stalls = (await call('GET', '/v1/iommu', { headers: ADMIN })).json.stalls;
    };
    for (let i = 0; i < 500 && stalls.length === 0; i++) await look();
    const [first] = stalls;
    assert.ok(first && first.pasid > 0 && first.ageMs >= 0);
    const answer = (stag: number) =>
      call('POST', `/v1/iommu/stalls/${stag}`, { body: { response: 'success' }, headers: ADMIN });
    assert.deepEqual((await answer(first.stag)).json, { response: 'success' });
    assert.equal((await answer(first.stag)).json.errno, 'EINVAL');
    await look();
    assert.notEqual(stalls[0]?.stag, first.stag); // the next page of the same job
    assert.deepEqual((await patch({ hold: false })).json.stalls, []);
    const body = Buffer.from(await (await compressed).arrayBuffer());
    assert.equal(gunzipSync(body).toString(), text);
  });
});

describe('warpdrive mdev and sysfs', () => {
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const cli = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { ...process.env, WARPDRIVE_ADMIN_TOKEN: ADMIN_TOKEN };
      execFile(process.execPath, [main, ...args, '--url', service.url], { env }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  it('create, list and remove an mdev and read attributes, with errno names on refusal', async () => {
    assert.deepEqual(await cli('mdev', 'create', 'hisi_zip-zip', '--uuid', UUID), {
      code: 0,
      out: `${UUID}\n`,
      err: '',
    });
    const again = await cli('mdev', 'create', 'hisi_zip-zip', '--uuid', UUID);
    assert.equal(again.code, 1);
    assert.match(again.err, /^warpdrive: EEXIST: /);
    assert.match((await cli('mdev', 'list')).out, new RegExp(`${UUID} +hisi_zip-zip +created`));
    assert.match(
      (await cli('sysfs', 'ls', '/sys/bus/mdev/devices')).out,
      new RegExp(`lrwxrwxrwx ${UUID} -> /sys/`),
    );
    assert.equal(
      (await cli('sysfs', 'cat', `/sys/bus/mdev/devices/${UUID}/warpdrive/state`)).out,
      'created\n',
    );
    assert.equal((await cli('mdev', 'remove', UUID)).code, 0);
    assert.match((await cli('sysfs', 'cat', `/sys/bus/mdev/devices/${UUID}/remove`)).err, /ENOENT/);
  });
});
