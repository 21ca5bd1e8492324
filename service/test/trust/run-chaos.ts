/**
 * `npm run test:chaos -- --minutes N --seed S`: everything that can go wrong goes wrong around the real service, under
 * verified traffic. Exit code 1 when a request got wrong bytes or hung, or anything was kept.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { chaosVerdicts } from './chaos-verdicts.ts';
import { htmlReport, markdownReport } from './report.ts';
import type { Finding } from './verified-traffic.ts';

const CONTEXT_MS = 5000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    lanes: { type: 'string', default: '12' },
    report: { type: 'string', default: 'dist/reports/chaos' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: a number above 0`);
const seed = Number(values.seed);
if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: a whole number`);
const totalMs = minutes * 60_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`chaos of ${minutes} minutes, --seed ${seed}`);

const report = await runChaos({
  seed,
  totalMs,
  lanes: Number(values.lanes),
  roundMs: Math.min(60_000, totalMs / 3),
  log: say,
});
/** What was done in the seconds before something was found. */
const doneBefore = ({ at }: Finding): string =>
  report.timeline
    .filter(({ at: done }) => done <= at && Date.parse(done) > Date.parse(at) - CONTEXT_MS)
    .map(({ at: done, action }) => `${done} ${action}`)
    .join(', ');
const verdicts = chaosVerdicts(report, totalMs);
const title = `warpdrive chaos, ${minutes} minutes, seed ${seed}`;
const failures = [...report.failures].sort(([, a], [, b]) => b - a);
const markdown = [
  `# ${title}`,
  '',
  markdownReport(verdicts),
  '',
  '| visible failure | times |',
  '|---|---|',
  ...failures.map(([failure, count]) => `| ${failure} | ${count} |`),
  ...report.findings.map(
    (finding) =>
      `| **${finding.outcome}**: ${finding.at} ${finding.request}: ${finding.detail}; before it: ${doneBefore(finding)} | 1 |`,
  ),
].join('\n');
mkdirSync('dist/reports', { recursive: true });
writeFileSync(`${values.report}.html`, htmlReport(title, verdicts, report.samples));
writeFileSync(`${values.report}.md`, `${markdown}\n`);
say(markdown);
say(`\nReports: ${values.report}.md, ${values.report}.html`);
process.exitCode = verdicts.every(({ holds }) => holds) ? 0 : 1;
