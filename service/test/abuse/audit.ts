/** `npm run audit`: known vulnerabilities of what is installed with the package; says so where no registry answers. */
import { spawnSync } from 'node:child_process';

const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });

interface Report {
  metadata?: { vulnerabilities: Record<string, number> };
}

function reportIn(text: string): Report {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return {};
  }
}

const found = reportIn(stdout).metadata?.vulnerabilities;
if (found === undefined) {
  process.stdout.write(
    `not audited: the registry did not answer (${stderr.trim().split('\n').at(-1) ?? ''})\n`,
  );
} else {
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exitCode = (found['total'] ?? 0) === 0 ? 0 : 1;
}
