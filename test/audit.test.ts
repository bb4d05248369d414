import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

/** `npm run audit` where npm answers this. */
function audit(answer: string) {
  const bin = mkdtempSync(path.join(tmpdir(), 'mycloud-audit-'));
  try {
    writeFileSync(path.join(bin, 'answer'), answer);
    writeFileSync(path.join(bin, 'npm'), `#!/bin/sh\ncat '${bin}/answer'\n`, { mode: 0o755 });
    const script = path.resolve(import.meta.dirname, '../scripts/audit.mjs');
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    return spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  } finally {
    rmSync(bin, { recursive: true });
  }
}

const report = (vulnerabilities: object, total: number) =>
  JSON.stringify({ vulnerabilities, metadata: { vulnerabilities: { total }, dependencies: { prod: 12 } } });

it('fails for a known hole and names it, and says how much was looked at', () => {
  const found = audit(report({ left: { severity: 'high', range: '<2' } }, 1));
  expect(found).toMatchObject({ status: 1, stdout: '1 known holes in 12 packages that run\n' });
  expect(found.stderr).toBe('high: left <2\n');
  expect(audit(report({}, 0))).toMatchObject({
    status: 0,
    stdout: '0 known holes in 12 packages that run\n',
  });
});

it.each([
  ['{"message": "405 Method Not Allowed"}', '405 Method Not Allowed'],
  ['', 'no answer'],
  ['<html>a proxy</html>', 'no answer'],
])('says that nothing was checked where npm answers %j', (answer, why) => {
  expect(audit(answer)).toMatchObject({
    status: 0,
    stdout: `the registry does not answer audits (${why}): nothing was checked\n`,
  });
});
