import { expect, it } from 'vitest';
import { shortStamp } from '../src/stamp.js';
import { Tree } from '../src/tree.js';

const hash = (n: number): string => n.toString(16).padStart(64, '0');

it('keeps sizes that 32 bits cannot hold, and those that take their place', () => {
  const tree = new Tree();
  const sizes = [0, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 45 + 1];
  const files = sizes.map((size, i) => tree.addFile(`f${i}`, 0o644, size));
  expect(files.map((file) => tree.size(file))).toEqual(sizes);
  for (const [i, file] of files.entries()) tree.resize(file, sizes.at(-1 - i)!);
  expect(files.map((file) => tree.size(file))).toEqual([...sizes].reverse());
  expect(tree.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
});

it('gives back the chunks of a file, none or one or many, also where they were set before', () => {
  const tree = new Tree();
  const idOf = (n: number): number => tree.chunks.intern(Buffer.from(hash(n), 'hex'), 0, n + 1);
  const lists = [[], [0], [1, 2, 3], [0, 0], [5]];
  const files = lists.map((_, i) => tree.addFile(`f${i}`, 0o644, 0));
  const read = (): number[][] =>
    files.map((file) => Array.from({ length: tree.chunkCount(file) }, (_, i) => tree.chunkId(file, i)));
  for (let n = 0; n < 6; n++) idOf(n);
  for (const [i, file] of files.entries()) tree.setChunks(file, lists[i]!);
  expect(read()).toEqual(lists);
  for (const [i, file] of files.entries()) tree.setChunks(file, lists.at(-1 - i)!);
  expect(read()).toEqual([...lists].reverse());
  expect(tree.chunks.mark(3)).toBe(true);
  expect(tree.chunks.mark(3)).toBe(false);
  expect([0, 3].map((id) => [tree.chunks.size(id), tree.chunks.marked(id)])).toEqual([
    [1, false],
    [4, true],
  ]);
});

it('gives back every name, however long, over many blocks of memory', () => {
  const tree = new Tree();
  const names = Array.from({ length: 20_000 }, (_, i) =>
    i % 7 === 0 ? `${i}`.padEnd(255, 'x') : `${'ä€😀'.repeat(i % 25)}${i}`,
  );
  for (const name of names) tree.addFile(`folder/${name}`, 0o644, 1);
  expect(names.filter((name, i) => tree.path(i) !== `folder/${name}`)).toEqual([]);
});

it('says by a short stamp that a time or the inode is another', () => {
  const stamp = { size: 7, mtimeMs: 1_764_500_000_123.25, ctimeMs: 1_764_500_000_123.25, inode: 4_711 };
  const changes = [
    {},
    { mtimeMs: stamp.mtimeMs + 0.25 },
    { ctimeMs: stamp.ctimeMs + 0.25 },
    { inode: stamp.inode + 1 },
    { mtimeMs: stamp.mtimeMs + 1, ctimeMs: stamp.ctimeMs + 1 },
    { mtimeMs: stamp.mtimeMs - 2 ** 30, ctimeMs: stamp.ctimeMs - 2 ** 30 },
    { size: 8 },
  ];
  const shorts = changes.map((change) => JSON.stringify(shortStamp({ ...stamp, ...change })));
  expect(new Set(shorts).size).toBe(changes.length);
  // A million files written one after the other, as a program does.
  const many = new Set<number>();
  for (let i = 0; i < 1_000_000; i++) {
    const { low, high } = shortStamp({ size: 1, mtimeMs: 1.7e12 + i, ctimeMs: 1.7e12 + i, inode: i });
    many.add(low * 2 ** 21 + (high & 0x1f_ffff));
  }
  expect(many.size).toBe(1_000_000);
});
