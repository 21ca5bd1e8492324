/** An attached process that opens queues until it gets no more, or has as many as asked. argv: attach socket, how many. */
import { connect } from '../../src/library/index.ts';

const [path = '', wanted = '64'] = process.argv.slice(2);
const wd = await connect({ path });
const queues: unknown[] = [];
try {
  while (queues.length < Number(wanted)) queues.push(await wd.openQueue({ operation: 'compress' }));
} catch {
  // no queue is left: what was wanted
}
process.send?.(queues.length);
setInterval(() => {}, 1000);
