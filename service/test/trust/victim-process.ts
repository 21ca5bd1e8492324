/** An attached process that compresses until somebody kills it. argv: the attach socket. */
import { connect } from '../../src/library/index.ts';
import { jsonLines } from '../support/corpus.ts';

const [path = ''] = process.argv.slice(2);
const wd = await connect({ path });
const queue = await wd.openQueue({ operation: 'compress' });
const source = jsonLines(100_000);
const destination = Buffer.alloc(200_000);
for (;;) await queue.run({ format: 'gzip', source, destination });
