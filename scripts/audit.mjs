// `npm audit` of what runs, where the registry answers audits: many mirrors don't, which is said and is no failure.
import { spawnSync } from 'node:child_process';
import { root } from './ensure.mjs';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: root, encoding: 'utf8' });
const report = readReport(stdout);
const counted = report.metadata?.vulnerabilities;
if (!counted) {
  process.stdout.write(
    `the registry does not answer audits (${report.message ?? 'no answer'}): nothing was checked\n`,
  );
} else {
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities))
    process.stderr.write(`${severity}: ${name} ${range}\n`);
  process.stdout.write(
    `${counted.total} known holes in ${report.metadata.dependencies.prod} packages that run\n`,
  );
  process.exitCode = counted.total > 0 ? 1 : 0;
}

function readReport(text) {
  try {
    return JSON.parse(text);
  } catch {
    // What a proxy says in the registry's place is no report.
    return {};
  }
}
