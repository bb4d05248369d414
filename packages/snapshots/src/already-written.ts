import type { ManifestFile } from './manifest.js';
import { eachLimit } from './pool.js';
import type { Helpers } from './threads.js';
import type { TreeWriter } from './tree-writer.js';

/** What an earlier download left: files that are whole, and the offsets of large files' chunks that are there. */
export interface AlreadyWritten {
  whole: Set<ManifestFile>;
  pieces: Map<ManifestFile, Set<number>>;
}

const filesAtOnce = 64;
const parallel = 16;

/** Looks for what a folder already holds of these files; what has the right size is read and its chunks compared. */
export async function findAlreadyWritten(
  files: readonly ManifestFile[],
  writer: TreeWriter,
  helpers: Helpers,
): Promise<AlreadyWritten> {
  const found: AlreadyWritten = { whole: new Set(), pieces: new Map() };
  const suspects: { file: ManifestFile; at: string; whole: boolean }[] = [];
  await eachLimit(files, parallel, async (file) => {
    // A link where a folder goes is refused here: nothing is looked at, or kept, behind it.
    await writer.parentOf(file.path);
    const suspect = await writer.suspect(file);
    if (suspect) suspects.push({ file, ...suspect });
  });
  const groups = Array.from({ length: Math.ceil(suspects.length / filesAtOnce) }, (_, i) =>
    suspects.slice(i * filesAtOnce, (i + 1) * filesAtOnce),
  );
  await eachLimit(groups, helpers.all.length, async (group) => {
    const written = await helpers.next().find(group.map(({ file, at }) => ({ at, chunks: file.chunks })));
    for (const [i, { file, whole }] of group.entries()) {
      const good = written[i]!;
      if (whole && good.length === file.chunks.length) {
        await writer.keep(file);
        found.whole.add(file);
      } else if (!whole && good.length > 0) found.pieces.set(file, offsetsOf(file, good));
    }
  });
  return found;
}

function offsetsOf(file: ManifestFile, chosen: readonly number[]): Set<number> {
  const offsets: number[] = [];
  let offset = 0;
  for (const { size } of file.chunks) {
    offsets.push(offset);
    offset += size;
  }
  return new Set(chosen.map((i) => offsets[i]!));
}
