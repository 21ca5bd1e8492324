/** Requests that one parser reads so and another otherwise: what a proxy in front and the service must not disagree on. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RunningService } from '../../src/service.ts';
import { jsonText, rawAnswer, sendWhole } from '../http-client.ts';
import { hostDouble } from '../http-double.ts';
import { eventually, serviceOn } from '../http-service.ts';

let service: RunningService;
before(async () => {
  service = await serviceOn(hostDouble());
});
after(() => service.stop());

const HIDDEN = 'GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const post = (fields: string, body: string) =>
  `POST /v1/compress HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);

async function refused(text: string, name: string): Promise<void> {
  const answer = await rawAnswer(service.url, text);
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);
  // one answer, a refusal, and the connection closed: nothing behind it was taken for a request
  assert.deepEqual(statuses, ['400'], `${name}: ${answer}`);
  assert.match(answer, /WD_E_REQUEST/, name);
}

async function isIdle(): Promise<void> {
  await eventually(async () => {
    const status = (await (await fetch(`${service.url}/v1/status`)).json()) as {
      totals: { activeStreams: number };
    };
    return status.totals.activeStreams === 0;
  }, 'no stream is left');
}

describe('request smuggling', () => {
  for (const [name, text] of [
    [
      'a length and chunks',
      post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`),
    ],
    [
      'chunks and a length',
      post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${HIDDEN}`),
    ],
    ['two lengths', post('Content-Length: 4\r\nContent-Length: 40\r\n', `abcd${HIDDEN}`)],
    ['two lengths in one field', post('Content-Length: 4, 40\r\n', `abcd${HIDDEN}`)],
    ['a signed length', post('Content-Length: +4\r\n', `abcd${HIDDEN}`)],
    ['a negative length', post('Content-Length: -4\r\n', HIDDEN)],
    ['a hexadecimal length', post('Content-Length: 0x4\r\n', `abcd${HIDDEN}`)],
    ['a coding behind chunked', post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${HIDDEN}`)],
    ['a coding that only looks like chunked', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${HIDDEN}`)],
    ['a space before the colon', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${HIDDEN}`)],
    ['a folded field', post('X: a\r\n Transfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`)],
    ['a folded coding', post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${HIDDEN}`)],
    ['a bare line feed', 'POST /v1/compress HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n'],
    ['a bare carriage return', post('X: a\rTransfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`)],
    ['a NUL in a field', post('X: a\0b\r\n', HIDDEN)],
    ['no Host', 'GET /version HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ] as const)
    it(`by ${name} gets one 400 and no second answer`, async () => {
      if (name === 'no Host') assert.match(await rawAnswer(service.url, text), /^HTTP\/1\.1 400 /);
      else await refused(text, name);
      await isIdle();
    });
});

describe('broken chunked coding', () => {
  for (const [name, text] of [
    ['a size that is no number', chunked(`zz\r\nab\r\n${HIDDEN}`)],
    ['a size over 64 bits', chunked(`fffffffffffffffff\r\nab\r\n${HIDDEN}`)],
    ['a negative size', chunked(`-2\r\nab\r\n${HIDDEN}`)],
    ['more bytes than announced', chunked(`2\r\nabcd\r\n0\r\n\r\n${HIDDEN}`)],
    ['a size ended by a bare line feed', chunked(`2\nab\r\n0\r\n\r\n${HIDDEN}`)],
    ['a space in the size', chunked(`2 2\r\nab\r\n0\r\n\r\n${HIDDEN}`)],
  ] as const)
    it(`with ${name} ends the request and frees it`, async () => {
      await refused(text, name);
      await isIdle();
    });

  it('with endless extensions is cut off: Node allows 16 KiB of them', async () => {
    const answer = await rawAnswer(service.url, chunked(`2;${'x'.repeat(40_000)}\r\nab\r\n0\r\n\r\n`));
    assert.doesNotMatch(answer, /^HTTP\/1\.1 200 /);
    await isIdle();
  });

  it('with trailers over --max-header-bytes is refused', async () => {
    const answer = await rawAnswer(service.url, chunked(`2\r\nab\r\n0\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`));
    assert.match(answer, /^HTTP\/1\.1 431 /);
    await isIdle();
  });

  it('leaves the service as it was', async () => {
    assert.equal((await sendWhole(`${service.url}/v1/compress`, jsonText(1000))).status, 200);
  });
});
