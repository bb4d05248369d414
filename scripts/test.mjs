// `npm test`: from a fresh clone it installs and builds, then runs lint, types, dead code, OpenAPI drift and every test.
// Arguments go to vitest (npm test -- packages/shared); its last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensure, root } from './ensure.mjs';

ensure();
const args = process.argv.slice(2);
const bin = (name) => path.join(root, 'node_modules/.bin', name);
let passed = 0;
let failed = 0;

function check(title, command, commandArgs) {
  process.stdout.write(`\n== ${title}\n`);
  const { status } = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit' });
  if (status === 0) passed++;
  else failed++;
}

if (args.length === 0) {
  check('lint (biome)', bin('biome'), ['check', '.']);
  check('types (tsc)', bin('tsc'), ['--noEmit', '-p', '.']);
  check('types of the page (tsc)', bin('tsc'), ['--noEmit', '-p', 'apps/web']);
  check('dead code (knip)', bin('knip'), []);
  check('OpenAPI drift', process.execPath, [
    '--conditions=mycloud-source',
    '--import',
    'tsx',
    'scripts/openapi.ts',
    '--check',
  ]);
}

process.stdout.write('\n== tests (vitest)\n');
const folder = mkdtempSync(path.join(os.tmpdir(), 'mycloud-test-'));
const report = path.join(folder, 'report.json');
const run = spawnSync(
  bin('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  skipped = result.numPendingTests;
  // A file that fails before its first test counts as one failure.
  failed += result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
} catch (error) {
  process.stdout.write(`vitest left no report: ${error.message}\n`);
  failed++;
}
rmSync(folder, { recursive: true, force: true });
if (run.status !== 0 && failed === 0) failed++;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;
