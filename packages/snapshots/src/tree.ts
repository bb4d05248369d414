import { ChunkTable } from './chunk-table.js';
import { bytes8, Numbers, ShortTexts, words32 } from './growing.js';
import type { Chunk, Entry } from './manifest.js';
import { type FileStamp, type ShortStamp, shortStamp } from './stamp.js';

const kinds = { file: 0, program: 1, dir: 2, symlink: 3, leftOut: 4 };
/** Stands for a size that 32 bits can't hold. */
const large = 0xffff_ffff;
/** Of what is known of a file's chunks: that there are several. */
const several = 0x8000_0000;

/**
 * A tree's entries in the order of its manifest, in columns: a million files take about 75 MB, where an object each
 * would take a gigabyte. Folders' paths are kept once; a file's chunks are numbers of `chunks`.
 */
export class Tree {
  readonly chunks = new ChunkTable();
  files = 0;
  /** Of all files. */
  bytes = 0;
  private readonly folders: string[] = [''];
  private readonly folderNumbers = new Map([['', 0]]);
  private readonly names = new ShortTexts();
  private readonly folderOf = new Numbers(words32);
  private readonly kind = new Numbers(bytes8);
  private readonly sizes = new Numbers(words32);
  private readonly largeSizes = new Map<number, number>();
  /** Two halves each. */
  private readonly stamps = new Numbers(words32);
  /** 0 for no chunk; for one, its number and 1; for several, where in `lists` their count stands, followed by their numbers. */
  private readonly content = new Numbers(words32);
  private readonly lists = new Numbers(words32);
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
    while (this.stamps.length < this.count * 2) this.stamps.push(0);
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
    const size = this.sizes.at(index);
    return size === large ? this.largeSizes.get(index)! : size;
  }

  path(index: number): string {
    return this.folders[this.folderOf.at(index)]! + this.names.at(index);
  }

  stamp(index: number): ShortStamp {
    const [low, high] = [this.stamps.at(index * 2), this.stamps.at(index * 2 + 1)];
    return { size: this.size(index), low, high };
  }

  /** Takes down a file as it is now. */
  setStamp(index: number, stamp: FileStamp): void {
    const { size, low, high } = shortStamp(stamp);
    this.resize(index, size);
    this.stamps.set(index * 2, low);
    this.stamps.set(index * 2 + 1, high);
  }

  resize(index: number, size: number): void {
    this.bytes += size - this.size(index);
    this.setSize(index, size);
  }

  /** @param ids numbers of `chunks`, in the order of the file */
  setChunks(index: number, ids: readonly number[]): void {
    if (ids.length <= 1) {
      this.content.set(index, ids.length === 0 ? 0 : ids[0]! + 1);
      return;
    }
    this.content.set(index, this.lists.push(ids.length) + several);
    for (const id of ids) this.lists.push(id);
  }

  chunkCount(index: number): number {
    const content = this.content.at(index);
    return content >= several ? this.lists.at(content - several) : Math.min(content, 1);
  }

  /** The number of a file's chunk. */
  chunkId(index: number, position: number): number {
    const content = this.content.at(index);
    return content >= several ? this.lists.at(content - several + 1 + position) : content - 1;
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
    for (const size of this.largeSizes.values()) yield Buffer.from(`${size}\0`);
    for (const column of [this.folderOf, this.kind, this.sizes, this.stamps]) yield* column.bytes();
  }

  private add(path: string, kind: number, size: number): number {
    const cut = path.lastIndexOf('/') + 1;
    this.names.push(path.slice(cut));
    this.folderOf.push(this.folderNumber(path.slice(0, cut)));
    this.content.push(0);
    this.sizes.push(0);
    const index = this.kind.push(kind);
    this.setSize(index, size);
    return index;
  }

  private setSize(index: number, size: number): void {
    this.sizes.set(index, Math.min(size, large));
    if (size >= large) this.largeSizes.set(index, size);
    else this.largeSizes.delete(index);
  }

  private folderNumber(folder: string): number {
    const known = this.folderNumbers.get(folder);
    if (known !== undefined) return known;
    this.folderNumbers.set(folder, this.folders.length);
    return this.folders.push(folder) - 1;
  }
}
