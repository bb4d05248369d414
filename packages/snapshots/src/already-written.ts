import { setImmediate as turn } from 'node:timers/promises';
import { eachLimit } from './pool.js';
import type { Helpers } from './threads.js';
import type { Tree } from './tree.js';
import type { TreeWriter } from './tree-writer.js';

/** What an earlier download left: files that are whole, and the positions of large files' chunks that are there. */
export interface AlreadyWritten {
  whole: Set<number>;
  pieces: Map<number, Set<number>>;
}

const filesAtOnce = 64;

/** Looks for what a folder already holds of these files; what has the right size is read and its chunks compared. */
export async function findAlreadyWritten(
  files: Iterable<number>,
  tree: Tree,
  writer: TreeWriter,
  helpers: Helpers,
): Promise<AlreadyWritten> {
  const found: AlreadyWritten = { whole: new Set(), pieces: new Map() };
  await eachLimit(groupsOf(suspects(files, tree, writer)), helpers.all.length, async (group) => {
    await turn();
    const written = await helpers
      .next()
      .find(group.map(({ file, at }) => ({ at, chunks: chunksOf(tree, file) })));
    for (const [i, { file, whole }] of group.entries()) {
      const good = written[i]!;
      if (whole && good.length === tree.chunkCount(file)) {
        writer.keep(file);
        found.whole.add(file);
      } else if (!whole && good.length > 0) found.pieces.set(file, new Set(good));
    }
  });
  return found;
}

interface Suspect {
  file: number;
  at: string;
  whole: boolean;
}

function* suspects(files: Iterable<number>, tree: Tree, writer: TreeWriter): Generator<Suspect> {
  for (const file of files) {
    // A link where a folder goes is refused here: nothing is looked at, or kept, behind it.
    writer.parentOf(tree.path(file));
    const suspect = writer.suspect(file);
    if (suspect) yield { file, ...suspect };
  }
}

function* groupsOf(all: Iterable<Suspect>): Generator<Suspect[]> {
  let group: Suspect[] = [];
  for (const one of all) {
    group.push(one);
    if (group.length < filesAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

const chunksOf = (tree: Tree, file: number): { hash: string; size: number }[] =>
  Array.from({ length: tree.chunkCount(file) }, (_, i) => {
    const id = tree.chunkId(file, i);
    return { hash: tree.chunks.hex(id), size: tree.chunks.size(id) };
  });
