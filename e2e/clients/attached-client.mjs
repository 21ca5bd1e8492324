// A process with queues of its own: node attached-client.mjs SOCKET MODE QUEUES BYTES PAUSE_MS NAME [fresh]
// fresh: each job writes into memory that nobody has touched, so its pages are asked for
import { connect } from '../../dist/service/src/library/index.js';
import { logLines, nap } from './payload.mjs';

const [
  path,
  mode = 'sva',
  queues = '2',
  bytes = '65536',
  pauseMs = '5',
  name = 'log-shipper',
  memory = 'reused',
] = process.argv.slice(2);
const wd = await connect({ path, mode, name });
await Promise.all(
  Array.from({ length: Number(queues) }, async (_, index) => {
    const queue = await wd.openQueue({ operation: 'compress', priority: index % 4 });
    const source = (await wd.allocate(Number(bytes))).bytes;
    source.set(logLines(Number(bytes), index + 1));
    const destination = (await wd.allocate(Number(bytes) + 4096)).bytes;
    for (;;) {
      await queue.run({
        format: 'deflate',
        level: 1,
        source,
        destination: memory === 'fresh' ? new Uint8Array(1_048_576) : destination,
      });
      await nap(Number(pauseMs));
    }
  }),
).catch((error) => {
  console.error(`${name}: ${error.message}`); // such as a queue that an administrator reset
  process.exitCode = 1;
});
