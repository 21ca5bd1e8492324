// A process with defects: it gives the engine memory that it has freed, and writes into memory that it may only read.
// node broken-client.mjs SOCKET PAUSE_MS [COUNT]
import koffi from 'koffi';
import { connect } from '../../dist/service/src/library/index.js';
import { logLines, nap } from './payload.mjs';

const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const BYTES = 65_536;

const libc = koffi.load('libc.so.6');
const mmap = libc.func(
  'void *mmap(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)',
);
const munmap = libc.func('int munmap(void *at, size_t bytes)');
const map = (protection) => {
  const at = mmap(null, BYTES, protection, MAP_PRIVATE_ANONYMOUS, -1, 0);
  return { at, bytes: new Uint8Array(koffi.view(at, BYTES)) };
};

const [path, pauseMs = '400', count = 'Infinity'] = process.argv.slice(2);
const wd = await connect({ path, mode: 'sva', name: 'broken-client' });
const queue = await wd.openQueue({ operation: 'compress' });
const good = logLines(BYTES, 7);
const defects = [
  () => {
    const { at, bytes } = map(PROT_READ_WRITE);
    munmap(at, BYTES); // used after it was freed
    return { source: bytes, destination: Buffer.alloc(2 * BYTES) };
  },
  () => ({ source: good, destination: map(PROT_READ).bytes }),
];
for (let i = 0; i < Number(count); i++) {
  const done = await queue
    .run({ format: 'deflate', level: 1, ...defects[i % defects.length]() })
    .catch((error) => ({ outcome: error.code ?? error.message }));
  if (count !== 'Infinity') console.log(done.outcome);
  await nap(Number(pauseMs));
}
queue.close();
wd.close();
