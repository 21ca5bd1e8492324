/**
 * `npm run test:soak -- --minutes N --seed S`: mixed verified traffic with aborts, corrupt input, resets and dying
 * processes; what the service holds is sampled, and the verdict on its memory is a slope.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Disturbances } from './disturbances.ts';
import { htmlReport, markdownReport, type Verdict } from './report.ts';
import { type Sample, takeSample } from './samples.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';
import { slopeOf } from './slope.ts';
import { VerifiedTraffic } from './verified-traffic.ts';

const SAMPLES_WANTED = 300;
const SETTLE_MS = 5000;
const MIB = 1024 * 1024;
/** The first part of a run is warm-up: compilers, pools and caches fill. */
const WARM_UP_SHARE = 1 / 3;
const RSS_LIMIT_MIB_PER_MINUTE = 1;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    lanes: { type: 'string', default: '12' },
    report: { type: 'string', default: 'dist/reports/soak.html' },
    serve: { type: 'string', multiple: true, default: [] },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: a number above 0`);
const seed = Number(values.seed);
process.stdout.write(`soak of ${minutes} minutes, --seed ${seed}\n`);

const service = await startServiceProcess(values.serve);
const startedMs = performance.now();
await takeSample(service, startedMs); // its connections are part of the baseline
const baseline = await takeSample(service, startedMs);
const traffic = new VerifiedTraffic({ url: () => service.url, seed, lanes: Number(values.lanes) });
const disturbances = new Disturbances(service, seed);
traffic.start();
disturbances.start();
const samples = await sampleFor(minutes * 60_000, service);
await disturbances.stop();
await traffic.stop();
await new Promise((next) => setTimeout(next, SETTLE_MS));
const after = await takeSample(service, startedMs);
service.kill('SIGTERM');
const { code } = await service.exited;

const verdicts = judge();
mkdirSync('dist/reports', { recursive: true });
writeFileSync(values.report, htmlReport(`warpdrive soak, ${minutes} minutes`, verdicts, samples));
process.stdout.write(`${markdownReport(verdicts)}\n\nReport: ${values.report}\n`);
for (const [failure, count] of traffic.failures) process.stdout.write(`failed ${count} times: ${failure}\n`);
for (const { request, outcome, detail } of traffic.findings)
  process.stdout.write(`${outcome}: ${request}: ${detail}\n`);
process.exitCode = verdicts.every(({ holds }) => holds) ? 0 : 1;

async function sampleFor(ms: number, from: ServiceProcess): Promise<Sample[]> {
  const taken: Sample[] = [];
  const stepMs = Math.max(500, ms / SAMPLES_WANTED);
  for (let at = stepMs; at <= ms; at += stepMs) {
    await new Promise((next) => setTimeout(next, Math.max(0, startedMs + at - performance.now())));
    taken.push(await takeSample(from, startedMs));
  }
  return taken;
}

function judge(): Verdict[] {
  const warm = samples.filter(({ atMs }) => atMs > minutes * 60_000 * WARM_UP_SHARE);
  const perMinute = (part: readonly Sample[]): number =>
    slopeOf(part.map(({ atMs, rssBytes }) => ({ x: atMs / 60_000, y: rssBytes / MIB })));
  const slope = perMinute(warm);
  const { counts } = traffic;
  const early = samples.filter(({ atMs }) => atMs <= minutes * 60_000 * WARM_UP_SHARE);
  const fewest = Math.min(...early.map(({ descriptors }) => descriptors));
  const kept = (figure: 'jobsInFlight' | 'pasids'): Verdict => ({
    claim: `${figure} after the traffic as before`,
    measured: `${baseline[figure]} before, ${after[figure]} after`,
    holds: after[figure] <= baseline[figure],
  });
  return [
    {
      claim: 'no wrong bytes, nothing hangs',
      measured: `${traffic.requests} requests: ${counts.right} right, ${counts.failed} failed, ${counts.left} left, ${counts.wrong} wrong, ${counts.hung} hung`,
      holds: counts.wrong === 0 && counts.hung === 0 && counts.right > 0,
    },
    {
      claim: `resident memory grows by less than ${RSS_LIMIT_MIB_PER_MINUTE} MiB a minute after warm-up`,
      measured: `${slope.toFixed(2)} MiB/min; last half of it ${perMinute(warm.slice(warm.length >> 1)).toFixed(2)}; ${(after.rssBytes / MIB).toFixed(0)} MiB at the end`,
      holds: slope < RSS_LIMIT_MIB_PER_MINUTE,
    },
    {
      // the engine's threads open theirs at the first large job, so the start of the traffic is the measure
      claim: 'no more descriptors after the traffic than the fewest while it began',
      measured: `${fewest} then, ${after.descriptors} after`,
      holds: after.descriptors <= fewest,
    },
    kept('jobsInFlight'),
    kept('pasids'),
    {
      claim: 'it ends by itself when asked to',
      measured: `exit code ${code}; ${disturbances.summary()}`,
      holds: code === 0,
    },
  ];
}
