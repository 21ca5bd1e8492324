import { gzipSync } from 'node:zlib';
import { expect, test } from '../fixtures/test.ts';

test.use({ isServiceShared: true });

test('a page compresses and decompresses with fetch and the browser’s own streams, and gets every byte back', async ({
  monitor,
}) => {
  await monitor.settle();
  const product = gzipSync(Buffer.from('made by Node '.repeat(50_000))).toString('base64');
  const found = await monitor.page.evaluate(async (fromNode) => {
    const text = JSON.stringify(
      Array.from({ length: 20_000 }, (_, i) => ({ id: i, name: `item ${i % 97}` })),
    );
    const post = (path: string, body: BodyInit) => fetch(path, { method: 'POST', body });
    const through = (bytes: BodyInit, stream: GenericTransformStream) =>
      new Response(
        new Response(bytes).body?.pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array>),
      );
    const same: Record<string, boolean> = {};
    for (const [format, name] of [
      ['gzip', 'gzip'],
      ['zlib', 'deflate'],
      ['deflate', 'deflate-raw'],
    ] as const) {
      const file = await (await post(`/v1/compress?format=${format}&level=6`, text)).arrayBuffer();
      same[`${format} ours`] = (await through(file, new DecompressionStream(name)).text()) === text;
      const theirs = await through(text, new CompressionStream(name)).arrayBuffer();
      same[`${format} theirs`] =
        (await (await post(`/v1/decompress?format=${format}`, theirs)).text()) === text;
    }
    const coding = await post('/v1/compress?as=coding', text);
    same['coding undone'] = (await coding.text()) === text;
    const bytes = Uint8Array.from(atob(fromNode), (letter) => letter.charCodeAt(0));
    const unpacked = await (await post('/v1/decompress', bytes)).text();
    same['node’s'] = unpacked === 'made by Node '.repeat(50_000);
    return same;
  }, product);
  expect(Object.values(found)).toHaveLength(8);
  for (const [name, isSame] of Object.entries(found)) expect(isSame, name).toBe(true);
});
