import { readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

/** What is removed before anything else gets its turn: a millisecond or two. */
const mostAtOnce = 100;

/**
 * Removes a folder with all that is in it; one that isn't there is none to remove. Most attempts leave a handful of files, each
 * of which costs ten times as much by Node's threads as at once; of a folder with more the rest goes by these.
 */
export async function removeFolder(dir: string): Promise<void> {
  try {
    if (removeAtOnce(dir, mostAtOnce) >= 0) return;
  } catch {
    // Whatever stands in the way, the thorough way meets it again, and tells of what it can't mend.
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 3 });
}

/** @param most entries to remove @returns how many more it could have removed; negative: some are left */
function removeAtOnce(dir: string, most: number): number {
  let left = most;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (left <= 0) return -1;
    const at = path.join(dir, entry.name);
    if (entry.isDirectory()) left = removeAtOnce(at, left - 1);
    else {
      unlinkSync(at);
      left -= 1;
    }
    if (left < 0) return -1;
  }
  rmdirSync(dir);
  return left;
}
