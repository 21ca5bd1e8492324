import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Express } from 'express';
import { PROBLEMS, type Problem } from '../../shared/src/problem.ts';
import { createHost, type Host } from '../src/host.ts';
import { createApp } from '../src/http/app.ts';
import { openApiDocument } from '../src/http/openapi/document.ts';
import { ROUTES } from '../src/http/openapi/routes.ts';
import * as schemas from '../src/http/openapi/schemas.ts';
import { PACKAGE_ROOT } from '../src/ops/package.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, send, sendWhole } from './http-client.ts';
import { hostDouble } from './http-double.ts';
import { ADMIN_TOKEN, serviceOn } from './http-service.ts';

let host: Host;
let service: RunningService;
before(async () => {
  host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host);
});
after(() => service.stop());

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle?: { stack?: Layer[] };
}

/** `method path` of every route that Express knows, with parameters as OpenAPI writes them. */
function registered(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, handle }) => {
    if (route === undefined) return registered(handle?.stack ?? []);
    return [route.path]
      .flat()
      .flatMap((path) =>
        Object.keys(route.methods).map((method) => `${method} ${path.replaceAll(/[:*](\w+)/g, '{$1}')}`),
      );
  });
}

describe('/openapi.json', () => {
  it('is a valid OpenAPI 3.1 document, served without a token', async () => {
    const answer = await send(`${service.url}/openapi.json`, { method: 'GET' });
    const document = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    assert.deepEqual(document, JSON.parse(JSON.stringify(openApiDocument())));
    const { valid, errors } = await new Validator().validate(document);
    assert.ok(valid, JSON.stringify(errors));
  });

  it('has every route of the app, and the app has every route of it', () => {
    const unused = () => assert.fail('only the routes are looked at');
    const app: Express = createApp({
      status: { view: hostDouble().view } as never,
      metrics: {} as never,
      access: {} as never,
      jobs: { newId: unused, find: unused },
      limits: { maxHeaders: 100 },
      clock: {} as never,
      log: silentLog,
    });
    const served = registered((app.router as unknown as { stack: Layer[] }).stack).filter(
      (route) => route !== 'get /',
    );
    // served before Express, by upgrade, or as files
    const elsewhere = ROUTES.filter(
      ({ path, answer }) =>
        answer.status === 101 || ['/v1/compress', '/v1/decompress', '/monitor/'].includes(path),
    ).map(({ method, path }) => `${method} ${path}`);
    assert.equal(elsewhere.length, 7);
    const described = ROUTES.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual([...served, ...elsewhere].sort(), described.sort());
  });

  it('has examples that its schemas take', () => {
    let examples = 0;
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('application/problem+json' in node) {
        const { examples: all } = node['application/problem+json'] as {
          examples: Record<string, { value: Problem }>;
        };
        for (const [code, { value }] of Object.entries(all)) {
          assert.deepEqual(schemas.problem.parse(value), value, code);
          examples++;
        }
      }
      for (const child of Object.values(node)) walk(child);
    };
    walk(openApiDocument());
    assert.ok(examples > 50);
  });
});

describe('the answers', () => {
  it('are what their schemas say, to the last field', async () => {
    await sendWhole(`${service.url}/v1/compress`, jsonText(3000));
    const created = await send(`${service.url}/v1/mdevs`, {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
      chunks: [Buffer.from('{"type":"hisi_zip-zip_on_open"}')],
    });
    assert.equal(created.status, 201, created.body.toString());
    const { uuid } = schemas.mdev.parse(JSON.parse(created.body.toString()));
    const compressed = await sendWhole(`${service.url}/v1/compress`, jsonText(3000));
    const values: Record<string, string> = {
      id: String(compressed.headers['wd-job']),
      uuid,
      path: 'class',
    };
    let checked = 0;
    for (const { method, path, answer: expected } of ROUTES) {
      if (method !== 'get' || expected.schema === undefined || expected.status === 101) continue;
      if (!expected.media?.includes('json')) continue;
      const url = service.url + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
      const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
      const answer = await send(url, { method: 'GET', headers });
      assert.equal(answer.status, 200, path);
      const body: unknown = JSON.parse(answer.body.toString());
      // unknown fields are stripped by parse, so the comparison finds them
      assert.deepEqual(expected.schema.parse(body), body, path);
      checked++;
    }
    assert.ok(checked >= 14, `${checked} routes`);
  });

  it('give every method that Allow lists, and OPTIONS on every route', async () => {
    for (const [path, allow] of [
      ['/v1/status', 'GET, HEAD, OPTIONS'],
      ['/v1/mdevs', 'GET, POST, HEAD, OPTIONS'],
      ['/v1/queues/x/reset', 'POST, OPTIONS'],
      ['/v1/sysfs/class', 'GET, PUT, HEAD, OPTIONS'],
      ['/metrics', 'GET, HEAD, OPTIONS'],
    ]) {
      const options = await send(service.url + path, { method: 'OPTIONS' });
      assert.deepEqual([options.status, options.headers.allow], [204, allow], path);
      const other = await send(service.url + path, { method: 'TRACE' });
      assert.deepEqual([other.status, other.headers.allow], [405, allow], path);
      if (!allow?.includes('HEAD')) continue;
      const head = await send(service.url + path, { method: 'HEAD' });
      assert.deepEqual([head.status, head.body.length], [200, 0], path);
    }
    const socketRoute = await send(`${service.url}/v1/stream?op=compress`, { method: 'GET' });
    assert.deepEqual([socketRoute.status, socketRoute.headers.upgrade], [426, 'websocket']);
  });
});

describe('the catalogue of problems', () => {
  it('stands in docs/http.md with every status', () => {
    const text = readFileSync(`${PACKAGE_ROOT}/docs/http.md`, 'utf8');
    for (const [code, { status }] of Object.entries(PROBLEMS)) {
      if (status === 499) continue;
      assert.match(text, new RegExp(`^\\|[^|]*\\b${status}\\b`, 'm'), `${code}, ${status}`);
    }
  });
});
