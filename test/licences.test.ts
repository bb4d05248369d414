import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('every dependency is pinned to its content, under a licence that was looked at, and listed in docs/licences.md', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/licences.mjs', '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
