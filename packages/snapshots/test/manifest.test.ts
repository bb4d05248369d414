import { gzipSync } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import { describe, expect, it } from 'vitest';
import {
  decodeManifest,
  diffEntries,
  type Entry,
  encodeManifest,
  manifestHash,
  manifestTotals,
  packManifest,
  unpackManifest,
} from '../src/index.js';

const hash = 'a'.repeat(64);
const file = (path: string, size = 3): Entry => ({
  path,
  type: 'file',
  mode: 0o644,
  size,
  chunks: size ? [{ hash, size }] : [],
});
const dir = (path: string): Entry => ({ path, type: 'dir', mode: 0o755 });
const link = (path: string, target: string): Entry => ({ path, type: 'symlink', target });

/** A manifest as an attacker writes it: lines as given. */
const forged = (...lines: unknown[]): Uint8Array =>
  Buffer.from(
    ['mycloud-manifest 1', ...lines.map((l) => (typeof l === 'string' ? l : JSON.stringify(l)))].join('\n') +
      '\n',
  );

function refusal(bytes: Uint8Array): string {
  try {
    decodeManifest(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('bad_request');
    return (error as AppError).message;
  }
  throw new Error('the manifest was accepted');
}

describe('a manifest', () => {
  it('is the same for the same tree, whatever the order it was listed in', () => {
    const tree = [
      dir('a'),
      file('a/b'),
      file('a-b'),
      file('ä'),
      file('\u{1F600}'),
      file('\uFF5E'),
      link('l', 'a/b'),
    ];
    const bytes = encodeManifest(tree);
    expect(Buffer.from(encodeManifest([...tree].reverse())).equals(bytes)).toBe(true);
    // By bytes of UTF-8: U+FF5E before U+1F600, which a comparison of JavaScript strings turns round.
    expect(decodeManifest(bytes).map((entry) => entry.path)).toEqual([
      'a',
      'a-b',
      'a/b',
      'l',
      'ä',
      '\uFF5E',
      '\u{1F600}',
    ]);
    expect(decodeManifest(bytes)).toEqual(expect.arrayContaining(tree));
    expect(manifestTotals(tree)).toEqual({ files: 5, bytes: 15 });
  });

  it('has a name that stays: changing the format would orphan every snapshot', () => {
    const bytes = encodeManifest([dir('d'), file('d/x'), link('up', 'd/x')]);
    expect(Buffer.from(bytes).toString()).toBe(
      'mycloud-manifest 1\n' +
        '{"path":"d","type":"dir","mode":493}\n' +
        `{"path":"d/x","type":"file","mode":420,"size":3,"chunks":[{"hash":"${hash}","size":3}]}\n` +
        '{"path":"up","type":"symlink","target":"d/x"}\n',
    );
    expect(manifestHash(bytes)).toHaveLength(64);
  });

  it('travels gzipped, and a bomb is stopped at the limit', async () => {
    const bytes = encodeManifest([file('x')]);
    expect(Buffer.from(await unpackManifest(await packManifest(bytes))).equals(bytes)).toBe(true);
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    await expect(unpackManifest(bomb, 1_000_000)).rejects.toMatchObject({ code: 'too_large' });
    await expect(unpackManifest(Buffer.from('no gzip'))).rejects.toMatchObject({ code: 'bad_request' });
    const cut = (await packManifest(bytes)).subarray(0, 30);
    await expect(unpackManifest(cut)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it.each([
    ['../x', '".."'],
    ['a\\..\\..\\x', '".."'],
    ['/etc/passwd', 'absolute'],
    ['', 'empty'],
    ['.', 'empty or "."'],
    ['a//b', 'empty or "."'],
    ['a/', 'empty or "."'],
    ['nul\0', 'NUL'],
    ['lone \ud800', 'Unicode'],
    ['x'.repeat(256), '255 bytes'],
    ['ä'.repeat(128), '255 bytes'],
  ])('refuses the path %j', (path, why) => {
    const message = refusal(forged(file(path)));
    expect(message).toContain(why);
    expect(message).toContain(JSON.stringify(path));
  });

  it.each([
    ['/etc/passwd', 'absolute'],
    ['C:\\Windows', 'absolute'],
    ['../..', 'outside'],
    ['../d/../../x', 'outside'],
    ['..\\..\\x', 'backslashes'],
    ['', 'target'],
  ])('refuses a link to %j', (target, why) => {
    expect(refusal(forged(dir('d'), link('d/l', target)))).toContain(why);
  });

  it('refuses a link that leaves the tree only by way of another link', () => {
    // Read letter by letter, d/up/../x is d/x; followed, d/up is the root and .. is above it.
    expect(refusal(forged(dir('d'), link('d/up', '..'), link('evil', 'd/up/../x')))).toContain('"evil"');
    const inside = [dir('d'), dir('d/e'), link('d/e/up', '..'), link('good', 'd/e/up/../d')];
    expect(decodeManifest(encodeManifest(inside))).toHaveLength(4);
  });

  it('keeps links that go round in a circle or nowhere: they harm nobody', () => {
    expect(decodeManifest(encodeManifest([link('a', 'b'), link('b', 'a'), link('c', 'gone')]))).toHaveLength(
      3,
    );
  });

  it('refuses trees that contradict themselves', () => {
    expect(refusal(forged(file('x'), file('x')))).toContain('twice');
    expect(refusal(forged(file('y'), file('x')))).toContain('order');
    expect(refusal(forged(file('d'), file('d/x')))).toContain('which is a file');
    expect(refusal(forged(link('d', '.'), file('d/x')))).toContain('which is a symlink');
    expect(refusal(forged(file('d/x')))).toContain('folder is not listed');
    expect(refusal(forged({ ...file('x'), size: 4 }))).toContain('hold 3 bytes');
  });

  it('refuses lines that are no entries, and a second spelling of one', () => {
    expect(refusal(forged('{'))).toContain('line 2');
    expect(refusal(forged({ path: 'x', type: 'device' }))).toContain('"x"');
    expect(refusal(forged({ ...file('x'), mode: 0o4755 }))).toContain('mode');
    expect(refusal(forged({ ...file('x'), extra: 1 }))).toContain('extra');
    expect(refusal(forged({ ...file('x', 0), chunks: [{ hash, size: 0 }] }))).toContain('chunks.0.size');
    expect(refusal(forged({ ...file('x'), chunks: [{ hash: '../x', size: 3 }] }))).toContain('chunks.0.hash');
    expect(refusal(forged('{"type":"dir","path":"d","mode":493}'))).toContain('canonical');
    expect(refusal(forged('{"path":"d", "type":"dir","mode":493}'))).toContain('canonical');
    expect(refusal(Buffer.from('mycloud-manifest 2\n'))).toContain('newer version');
    expect(refusal(forged(file('x')).subarray(0, -1))).toContain('breaks off');
  });

  it('is not encoded from a tree that may not stand', () => {
    expect(() => encodeManifest([file('../x')])).toThrow('".."');
  });
});

it('diff names what was added, removed and changed', () => {
  const a = [file('gone'), file('same'), file('grown'), link('l', 'same'), file('kind')];
  const b = [file('same'), file('grown', 4), link('l', 'grown'), dir('kind'), file('new')];
  expect(diffEntries(a, b)).toEqual({ added: ['new'], removed: ['gone'], changed: ['grown', 'l', 'kind'] });
});
