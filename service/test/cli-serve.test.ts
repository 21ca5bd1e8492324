import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { run } from './cli-process.ts';
import { jsonText, send, sendWhole } from './http-client.ts';
import { decoders } from './http-oracle.ts';
import { serve } from './serve-process.ts';

const text = jsonText(3_000_000);

describe('warpdrive serve', () => {
  it('prints its URLs, answers, and ends in order on SIGTERM while a stream finishes', async () => {
    const { url, child, result } = await serve();
    const late = send(`${url}/v1/compress`, {
      chunks: (async function* () {
        yield text;
        await new Promise((next) => setTimeout(next, 100));
        child.kill('SIGTERM');
        await new Promise((next) => setTimeout(next, 300));
        await assert.rejects(fetch(url), 'it listens no more');
        yield text;
      })(),
    });
    const answer = await late;
    assert.ok(decoders.gzip(answer.body).equals(Buffer.concat([text, text])));
    assert.equal((await result).code, 0);
  });

  it('cuts a stream off that outlasts --shutdown-timeout', async () => {
    const { url, child, result } = await serve('--shutdown-timeout', '200ms');
    const cut = send(`${url}/v1/compress`, {
      chunks: (async function* () {
        yield text;
        await once(child, 'exit');
      })(),
    });
    setTimeout(() => child.kill('SIGINT'), 300);
    assert.equal((await result).code, 0);
    const answer = await cut.catch(() => undefined);
    assert.notEqual(answer?.complete, true);
  });

  it('says in a sentence that the port is taken: 69', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { code, stderr } = await run(['serve', '--port', String(port)]);
    other.close();
    assert.equal(code, 69);
    assert.match(stderr, new RegExp(`^warpdrive: Port ${port} on 127\\.0\\.0\\.1 is already in use\\.`, 'm'));
  });

  it('refuses wrong configuration: 78, and beyond loopback without a token', async () => {
    const open = await run(['serve', '--host', '0.0.0.0', '--port', '0']);
    assert.equal(open.code, 78);
    assert.match(open.stderr, /needs a token: set --admin-token/);
    const queues = await run(['serve', '--workers', '16', '--queues', '100', '--port', '0']);
    assert.equal(queues.code, 78);
    assert.match(queues.stderr, /--queues 100 is over the 60 queues that each of 16 workers/);
    const typo = await run(['serve'], undefined, { WARPDRIVE_PROT: '1' });
    assert.equal(typo.code, 78);
    assert.match(typo.stderr, /did you mean WARPDRIVE_PORT\?/);
  });

  it('is read by status, devices, queues and faults; 69 when it is not there', async () => {
    const { url } = await serve();
    await sendWhole(`${url}/v1/compress`, text);
    const status = await run(['status', '--url', url]);
    assert.match(status.stdout.toString(), /requests +1, 0 failed/);
    const queues = await run(['queues', '--url', url]);
    assert.match(queues.stdout.toString(), /^QUEUE +OWNER[\s\S]*hisi_zip-0/);
    const devices = await run(['devices', '--url', url]);
    assert.match(
      devices.stdout.toString(),
      /^DEVICE .*FREE\nhisi_zip-0 +PF +emulated +zip-v3 +\S+ +stall +working +\d+ +\d+\n\nDEVICE +CORE.*\nhisi_zip-0 +0 +\w+ +polled +\d+ +[\d.]+ s$/m,
    );
    const json = await run(['queues', '--url', url, '--json']);
    assert.ok((JSON.parse(json.stdout.toString()) as { queues: unknown[] }).queues.length > 0);
    assert.equal((await run(['faults', '--url', url])).stdout.toString(), 'No faults.\n');
    const nobody = await run(['status', '--url', 'http://127.0.0.1:1']);
    assert.equal(nobody.code, 69);
    assert.match(nobody.stderr, /No service answers at/);
    const noUrl = await run(['top', '--url', 'ftp://x']);
    assert.equal(noUrl.code, 2);
    assert.match(noUrl.stderr, /--url <URL>' argument 'ftp:\/\/x' is invalid\. It must be a URL that begins/);
  });

  it('lets the device fail on purpose, lists the plans and ends them', async () => {
    const { url } = await serve('--admin-token', 'open-sesame');
    const faults = async (...args: string[]) => {
      const { code, stdout, stderr } = await run([
        'faults',
        ...args,
        '--url',
        url,
        '--admin-token',
        'open-sesame',
      ]);
      return { code, text: stdout.toString(), stderr };
    };
    assert.equal((await faults('injected')).text, 'No injected faults.\n');
    const slow = await faults('inject', 'slow-dma', '--delay', '2ms', '--count', '5', '--probability', '1');
    assert.deepEqual([slow.code, slow.text], [0, 'plan 1 on hisi_zip-0: slow-dma\n']);
    const status = await faults(
      'inject',
      'completion-error',
      '--status',
      '0x42',
      '--after',
      '1000',
      '--json',
    );
    const { id, plan } = JSON.parse(status.text) as { id: number; plan: object };
    assert.deepEqual(plan, { kind: 'completion-error', status: 0x42, after: 1000 });
    assert.equal((await sendWhole(`${url}/v1/compress`, Buffer.from('slowly'))).status, 200);
    assert.match(
      (await faults('injected')).text,
      /^ID +DEVICE[^\n]*\n +1 +hisi_zip-0 +slow-dma +active +1 +1 /,
    );
    assert.equal((await faults('clear', String(id))).text, '1 cleared\n');
    assert.equal((await faults('clear')).text, '1 cleared\n');
    assert.doesNotMatch((await faults('injected')).text, /active/);
    const missing = await faults('clear', '77');
    assert.deepEqual([missing.code, /no fault plan 77/.test(missing.stderr)], [1, true]);
    const range = await faults('inject', 'sqe-bit-flip', '--bit', '4096');
    assert.deepEqual(
      [range.code, /bit 4096 is not a whole number from 0 to 1023/.test(range.stderr)],
      [1, true],
    );
    const unknown = await faults('inject', 'melt');
    assert.deepEqual([unknown.code, /Allowed choices are sqe-bit-flip/.test(unknown.stderr)], [2, true]);
    const anybody = await run(['faults', 'inject', 'stall', '--url', url, '--admin-token', 'wrong-token']);
    assert.equal(anybody.code, 1);
  });
});
