import { lstatSync, opendirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { AttemptFolder } from './attempt-folder.js';

/** Enough to say that there are many. */
const mostCounted = 1000;
/** Files that are looked at before it is left. */
const mostSeen = 20_000;

/**
 * What a job wrote to `output` beside its code, meaning /output: a sentence for its log.
 * @returns undefined where it wrote nothing there; what the code brought along doesn't count
 */
export function misplacedOutput(folder: AttemptFolder): string | undefined {
  const top = path.join(folder.codeDir, 'output');
  // Where /output is a link beside the code, nothing was lost.
  if (!lstatSync(top, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  // The log was made when the command began, after the code was copied.
  const began = statSync(folder.logFile).birthtimeMs;
  const written: string[] = [];
  let seen = 0;
  for (const file of filesBelow(top)) {
    seen += 1;
    if (seen > mostSeen) break;
    if (lstatSync(file).ctimeMs <= began) continue;
    written.push(path.relative(folder.codeDir, file));
    if (written.length === mostCounted) break;
  }
  const [first] = written;
  if (!first) return undefined;
  const count =
    written.length === 1
      ? first
      : `${written.length}${written.length === mostCounted ? ' or more' : ''} files such as ${first}`;
  return `warning: nothing was written to /output, but ${count} to the folder "output" beside the code, which is not kept; write to /output (or $MYCLOUD_OUTPUT)`;
}

function* filesBelow(dir: string): Generator<string> {
  const opened = opendirSync(dir);
  try {
    for (let entry = opened.readSync(); entry; entry = opened.readSync()) {
      const at = path.join(dir, entry.name);
      if (entry.isDirectory()) yield* filesBelow(at);
      else if (entry.isFile()) yield at;
    }
  } finally {
    opened.closeSync();
  }
}
