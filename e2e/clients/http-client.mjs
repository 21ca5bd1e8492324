// A process that posts files one after another: node http-client.mjs URL CLIENTS BYTES PAUSE_MS
import { logLines, nap } from './payload.mjs';

const [url, clients = '2', bytes = '200000', pauseMs = '20'] = process.argv.slice(2);
const formats = ['gzip', 'zlib', 'deflate'];
await Promise.all(
  Array.from({ length: Number(clients) }, async (_, index) => {
    const body = logLines(Number(bytes), process.pid + index);
    for (;;) {
      const response = await fetch(`${url}/v1/compress?format=${formats[index % 3]}&level=1`, {
        method: 'POST',
        body,
      });
      await response.arrayBuffer();
      await nap(Number(pauseMs));
    }
  }),
).catch((error) => {
  console.error(`http-client: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
});
