import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wantProgram } from '../../../test/support/require.js';
import { makeSpread } from '../src/disk/spread.js';

let base: string;
beforeAll(() => {
  base = mkdtempSync(path.join(tmpdir(), 'worker-test-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** In statfs(2): ext2, 3 and 4. */
const ext = 0xef53;
const isExt = statfsSync(tmpdir()).type === ext;

it.skipIf(!isExt || !wantProgram('lsattr'))('folders of attempts are spread over the disk', async () => {
  const dir = path.join(base, 'home/attempts');
  await makeSpread(dir);
  await makeSpread(dir);
  const [flags = ''] = execFileSync('lsattr', ['-d', dir], { encoding: 'utf8' }).split(' ');
  expect(flags).toContain('T');
});

it('are made where that can not be said', async () => {
  const search = process.env.PATH;
  process.env.PATH = '';
  try {
    const dir = path.join(base, 'other/attempts');
    await makeSpread(dir);
    expect(statfsSync(dir).type).toBe(statfsSync(base).type);
  } finally {
    process.env.PATH = search;
  }
});
