/**
 * `npm run test:chaos -- --minutes N --seed S`: everything that can go wrong goes wrong around the real service, under
 * verified traffic. Exit code 1 when a request got wrong bytes or hung, or anything was kept.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { chaosVerdicts } from './chaos-verdicts.ts';
import { htmlReport, markdownReport } from './report.ts';

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
  ...report.findings.map(({ request, outcome, detail }) => `| **${outcome}**: ${request}: ${detail} | 1 |`),
].join('\n');
mkdirSync('dist/reports', { recursive: true });
writeFileSync(`${values.report}.html`, htmlReport(title, verdicts, report.samples));
writeFileSync(`${values.report}.md`, `${markdown}\n`);
say(markdown);
say(`\nReports: ${values.report}.md, ${values.report}.html`);
process.exitCode = verdicts.every(({ holds }) => holds) ? 0 : 1;
