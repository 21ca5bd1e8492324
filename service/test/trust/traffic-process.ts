/** Verified traffic in a process of its own, so that it can be stopped by a signal. argv: address, seed. Ends by a message. */
import { VerifiedTraffic } from './verified-traffic.ts';

const [url = '', seed = '1'] = process.argv.slice(2);
const traffic = new VerifiedTraffic({ url: () => url, seed: Number(seed), lanes: 2, maxBytes: 300_000 });
process.once('message', async () => {
  await traffic.stop();
  const { counts, findings } = traffic;
  process.send?.({ counts, findings }, () => process.disconnect());
});
traffic.start();
