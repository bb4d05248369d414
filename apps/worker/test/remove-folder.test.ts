import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeFolder } from '../src/remove-folder.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), 'mycloud-remove-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('removing what an attempt left', () => {
  it.each([3, 99, 100, 101, 1000])(
    'takes %d files in folders along, and nothing that links lead to',
    async (count) => {
      const outside = path.join(base, 'outside');
      const dir = path.join(base, 'attempt');
      mkdirSync(outside);
      writeFileSync(path.join(outside, 'kept'), 'kept');
      for (let i = 0; i < count; i++) {
        const folder = path.join(dir, 'output', `folder ${i % 7}`);
        mkdirSync(folder, { recursive: true });
        writeFileSync(path.join(folder, `file ${i}`), 'x');
      }
      mkdirSync(path.join(dir, 'empty'));
      symlinkSync(outside, path.join(dir, 'link'));
      symlinkSync(path.join(base, 'nowhere'), path.join(dir, 'broken'));
      await removeFolder(dir);
      expect(existsSync(dir)).toBe(false);
      expect(readdirSync(outside)).toEqual(['kept']);
    },
  );

  it('finds nothing to do where nothing is', async () => {
    await removeFolder(path.join(base, 'never-made'));
    expect(readdirSync(base)).toEqual([]);
  });
});
