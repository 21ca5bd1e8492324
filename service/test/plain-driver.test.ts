/** The device as a stranger's driver sees it: another process, plain bytes, nothing of driver/ or hw-abi/. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withHost } from './support/attach-host.ts';

const folder = (name: string): string => fileURLToPath(new URL(`./plain/${name}`, import.meta.url));

/** Runs one scenario in a process of its own. @param onLine is given each line but the last */
async function play(
  path: string,
  scenario: string,
  onLine: (said: unknown) => void = () => {},
): Promise<unknown> {
  const child = spawn(process.execPath, [folder('plain-child.js'), path, scenario], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let last: unknown;
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line);
    onLine(last);
  }
  const [code] = await exited;
  assert.equal(code, 0);
  return last;
}

describe('the device, to a driver written from its documentation alone', () => {
  it('has a driver that imports nothing of this project', () => {
    for (const file of ['plain-driver.js', 'plain-sqe.js', 'plain-child.js'])
      for (const [, from] of readFileSync(folder(file), 'utf8').matchAll(/from '([^']+)'/g))
        assert.match(from ?? '', /^(node:[a-z_]+|koffi|\.\/plain-(driver|sqe)\.js)$/);
  });

  it('completes every job type, flat and scattered, stateless and stateful', {}, async () => {
    await withHost({}, async ({ path }) => {
      assert.deepEqual(await play(path, 'jobs'), { jobs: 36, wrong: [] });
    });
  });

  it('lets streams go on in another queue after every job', async () => {
    await withHost({}, async ({ path }) => {
      assert.deepEqual(await play(path, 'moves'), { wrong: [] });
    });
  });

  it('keeps order and phase over several laps of the rings', async () => {
    await withHost({}, async ({ path }) => {
      assert.deepEqual(await play(path, 'wraps'), { right: 5000, wraps: 4 });
    });
  });

  it('gives each job the status that it deserves', async () => {
    await withHost({}, async ({ path }) => {
      assert.deepEqual(await play(path, 'statuses'), {
        done: 0x00,
        grew: 0x0d,
        full: 0x0e,
        fullDecompress: 0x0e,
        checksum: 0x10,
        ended: 0x13,
        corrupt: 0x03,
        unmappedSource: 0x41,
        unmappedDestination: 0x41,
        otherSqeType: 0x02,
        unknownRequest: 0x02,
        lz4: 0x02,
        unknownBuffer: 0x02,
        unknownWindow: 0x02,
        tooLong: 0x02,
        afterwards: 0x00,
      });
    });
  });

  for (const [what, plan, status] of [
    ['a source DIF error', { kind: 'completion-error', status: 0x0f }, 0x0f],
    ['a destination DIF error', { kind: 'completion-error', status: 0x12 }, 0x12],
    ['an engine core that dies', { kind: 'core-crash' }, 0x42],
    ['an SQE whose type lost a bit on the way', { kind: 'sqe-bit-flip', bit: 7 * 32 + 29 }, 0x02],
  ] as const)
    it(`ends the job of ${what} with status 0x${status.toString(16)}, and the next one well`, async () => {
      await withHost({ cores: 1, inlineBytes: 4096 }, async ({ host, path }) => {
        await host.view.admin?.injectFault(plan);
        assert.deepEqual(await play(path, 'pair'), { first: status, second: 0 });
      });
    });

  it('is a V2 device too: its own SQE form, no raw DEFLATE', async () => {
    await withHost({ hardware: 'v2' }, async ({ path }) => {
      assert.deepEqual(await play(path, 'jobs'), { jobs: 24, wrong: [] });
      assert.equal(await play(path, 'rawDeflate'), 0x02);
    });
  });

  it('interrupts once it is armed, and tells of a reset', async () => {
    await withHost({}, async ({ host, path }) => {
      const said = await play(path, 'notices', (line) => {
        const { queue } = line as { queue?: number };
        const open = host.view.queues().find(({ qpId }) => qpId === queue);
        if (open) host.kernel.resetQueue(open.id);
      });
      assert.deepEqual(said, { interrupt: true, lost: true, stopWords: [1, 1] });
    });
  });
});
