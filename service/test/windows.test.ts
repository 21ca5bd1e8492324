import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import type { Host } from '../src/host.ts';
import { WINDOW_BYTES } from '../src/hw-abi/zip-sqe.ts';
import { noise } from './support/corpus.ts';
import { openHost, through } from './support/hosts.ts';
import { inflateWithDistances } from './support/inflate-distances.ts';

describe('zlib members with a window', () => {
  let host: Host;
  before(async () => {
    host = await openHost();
  });
  after(() => host.close());
  const block = noise(2000, 9);
  const input = Buffer.concat(
    [1, 2, 3, 4, 5].flatMap((gap) => [block, noise(gap * 4000, gap)]).concat(block),
  );

  it('say it in their header and never reach further: whole, streamed and in software', async () => {
    for (const windowBytes of WINDOW_BYTES) {
      const options = { format: 'zlib', level: 6, windowBytes } as const;
      const once = Buffer.concat((await host.codec.compressOnce([input], options)).chunks);
      const streamed = await through(host.codec.compressStream(options), [
        input.subarray(0, 9),
        input.subarray(9),
      ]);
      // both attempts of the next job fail
      void host.view.admin?.injectFault({ kind: 'completion-error', status: 0x42, count: 2 });
      const software = await host.codec.compressOnce([input], options);
      assert.notEqual(software.result.fallbackReason, undefined);
      for (const member of [once, streamed, Buffer.concat(software.chunks)]) {
        const windowBits = ((member[0] ?? 0) >> 4) + 8;
        assert.equal(2 ** windowBits, 2 ** Math.ceil(Math.log2(windowBytes)));
        assert.ok(inflateSync(member, { windowBits }).equals(input), 'node:zlib with this window');
        assert.ok(inflateWithDistances(member.subarray(2)).farthest <= windowBytes);
      }
    }
  });
});
