import { ChunkTable } from './chunk-table.js';
import { bytes8, doubles, Numbers, Texts, words16, words32 } from './growing.js';
import type { Chunk, Entry } from './manifest.js';
import type { FileStamp } from './stamp.js';

const kinds = { file: 0, program: 1, dir: 2, symlink: 3, leftOut: 4 };

/**
 * A tree's entries in the order of its manifest, in columns: a million files take about 100 MB, where an object each
 * would take a gigabyte. Folders' paths are kept once; a file's chunks are numbers of `chunks`.
 */
export class Tree {
  readonly chunks = new ChunkTable();
  files = 0;
  /** Of all files. */
  bytes = 0;
  private readonly folders: string[] = [''];
  private readonly folderNumbers = new Map([['', 0]]);
  private readonly names = new Texts();
  private readonly folderOf = new Numbers(words32);
  private readonly nameAt = new Numbers(words32);
  private readonly nameLength = new Numbers(words16);
  private readonly kind = new Numbers(bytes8);
  private readonly sizes = new Numbers(doubles);
  private readonly stamps = new Numbers(doubles);
  private readonly firstRef = new Numbers(words32);
  private readonly refCount = new Numbers(words32);
  private readonly refs = new Numbers(words32);
  private readonly targets = new Map<number, string>();

  get count(): number {
    return this.kind.length;
  }

  addDir(path: string): void {
    this.add(path, kinds.dir, 0);
  }

  addLink(path: string, target: string): void {
    this.targets.set(this.add(path, kinds.symlink, 0), target);
  }

  /** @returns its index. Its chunks come later. */
  addFile(path: string, mode: 0o644 | 0o755, size: number): number {
    this.files += 1;
    this.bytes += size;
    return this.add(path, mode === 0o755 ? kinds.program : kinds.file, size);
  }

  /** As addFile, with what a stat said. Either all files of a tree have stamps or none. */
  addStamped(path: string, mode: 0o644 | 0o755, stamp: FileStamp): number {
    const index = this.addFile(path, mode, stamp.size);
    while (this.stamps.length < this.count * 3) this.stamps.push(0);
    this.setStamp(index, stamp);
    return index;
  }

  /** Adds what a manifest says. */
  addEntry(entry: Entry): void {
    if (entry.type === 'dir') this.addDir(entry.path);
    else if (entry.type === 'symlink') this.addLink(entry.path, entry.target);
    else {
      const index = this.addFile(entry.path, entry.mode, entry.size);
      this.setChunks(
        index,
        entry.chunks.map(({ hash, size }) => this.chunks.intern(Buffer.from(hash, 'hex'), 0, size)),
      );
    }
  }

  /** Takes an entry out again; its index stays taken. */
  leaveOut(index: number): void {
    if (this.isFile(index)) {
      this.files -= 1;
      this.bytes -= this.size(index);
    }
    this.targets.delete(index);
    this.kind.set(index, kinds.leftOut);
  }

  isLeftOut(index: number): boolean {
    return this.kind.at(index) === kinds.leftOut;
  }

  isFile(index: number): boolean {
    return this.kind.at(index) <= kinds.program;
  }

  isDir(index: number): boolean {
    return this.kind.at(index) === kinds.dir;
  }

  /** Where a link points, undefined for anything else. */
  target(index: number): string | undefined {
    return this.targets.get(index);
  }

  mode(index: number): 0o644 | 0o755 {
    return this.kind.at(index) === kinds.file ? 0o644 : 0o755;
  }

  size(index: number): number {
    return this.sizes.at(index);
  }

  path(index: number): string {
    const name = this.names.get(this.nameAt.at(index), this.nameLength.at(index));
    return this.folders[this.folderOf.at(index)]! + name;
  }

  stamp(index: number): FileStamp {
    const at = index * 3;
    const [mtimeMs, ctimeMs, inode] = [this.stamps.at(at), this.stamps.at(at + 1), this.stamps.at(at + 2)];
    return { size: this.size(index), mtimeMs, ctimeMs, inode };
  }

  /** Takes down a file as it is now. */
  setStamp(index: number, { size, mtimeMs, ctimeMs, inode }: FileStamp): void {
    this.resize(index, size);
    this.stamps.set(index * 3, mtimeMs);
    this.stamps.set(index * 3 + 1, ctimeMs);
    this.stamps.set(index * 3 + 2, inode);
  }

  resize(index: number, size: number): void {
    this.bytes += size - this.size(index);
    this.sizes.set(index, size);
  }

  /** @param ids numbers of `chunks`, in the order of the file */
  setChunks(index: number, ids: readonly number[]): void {
    this.firstRef.set(index, this.refs.length);
    this.refCount.set(index, ids.length);
    for (const id of ids) this.refs.push(id);
  }

  chunkCount(index: number): number {
    return this.refCount.at(index);
  }

  /** The number of a file's chunk. */
  chunkId(index: number, position: number): number {
    return this.refs.at(this.firstRef.at(index) + position);
  }

  entry(index: number): Entry {
    const path = this.path(index);
    const target = this.target(index);
    if (target !== undefined) return { path, type: 'symlink', target };
    if (this.isDir(index)) return { path, type: 'dir', mode: 0o755 };
    const chunks = Array.from({ length: this.chunkCount(index) }, (_, i): Chunk => {
      const id = this.chunkId(index, i);
      return { hash: this.chunks.hex(id), size: this.chunks.size(id) };
    });
    return { path, type: 'file', mode: this.mode(index), size: this.size(index), chunks };
  }

  /** Its entries one after the other, made as they are asked for. */
  *[Symbol.iterator](): Generator<Entry> {
    for (let index = 0; index < this.count; index++) if (!this.isLeftOut(index)) yield this.entry(index);
  }

  /** Indexes of symbolic links. */
  links(): number[] {
    return [...this.targets.keys()];
  }

  /** All that a scan says of the tree, as bytes: the same bytes mean that no file has changed. */
  *scanned(): Generator<Uint8Array> {
    for (const folder of this.folders) yield Buffer.from(`${folder}\0`);
    for (const target of this.targets.values()) yield Buffer.from(`${target}\0`);
    yield* this.names.bytes();
    for (const column of [this.folderOf, this.nameLength, this.kind, this.sizes, this.stamps])
      yield* column.bytes();
  }

  private add(path: string, kind: number, size: number): number {
    const cut = path.lastIndexOf('/') + 1;
    const { at, length } = this.names.push(path.slice(cut));
    this.folderOf.push(this.folderNumber(path.slice(0, cut)));
    this.nameAt.push(at);
    this.nameLength.push(length);
    this.sizes.push(size);
    this.firstRef.push(0);
    this.refCount.push(0);
    return this.kind.push(kind);
  }

  private folderNumber(folder: string): number {
    const known = this.folderNumbers.get(folder);
    if (known !== undefined) return known;
    this.folderNumbers.set(folder, this.folders.length);
    return this.folders.push(folder) - 1;
  }
}
