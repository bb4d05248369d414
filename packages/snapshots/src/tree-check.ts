import type { Entry } from './manifest.js';
import { comparePaths, linkFault, pathFault, quoted, refuse } from './tree-rules.js';

/** Checks what no single entry shows, as entries come in the order of a manifest: order, duplicates, parents, links, sums. */
export class TreeCheck {
  private readonly folders = new Set(['']);
  private readonly links = new Map<string, string>();
  /** Files whose paths begin the last one's: who lies under a file comes before these have passed. */
  private readonly files: string[] = [];
  private previous = '';

  /** @throws AppError bad_request naming the entry that may not stand here */
  take(entry: Entry): void {
    const { path } = entry;
    const fault = pathFault(path);
    if (fault) throw refuse(path, fault);
    if (path === this.previous) throw refuse(path, 'the path is listed twice');
    if (comparePaths(path, this.previous) < 0) throw refuse(path, 'the entry is out of order');
    this.previous = path;
    while (this.files.length > 0 && !path.startsWith(this.files.at(-1)!)) this.files.pop();
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    if (!this.folders.has(parent)) throw refuse(path, this.notBelow(parent));
    if (entry.type === 'dir') this.folders.add(path);
    else if (entry.type === 'symlink') this.links.set(path, entry.target);
    else {
      this.files.push(path);
      const sum = entry.chunks.reduce((total, chunk) => total + chunk.size, 0);
      if (sum !== entry.size) throw refuse(path, `its chunks hold ${sum} bytes, its size says ${entry.size}`);
    }
  }

  /** Nothing comes any more. @throws AppError bad_request naming a link that leaves the tree */
  end(): void {
    for (const [path, target] of this.links) {
      const fault = linkFault(path, target, this.links);
      if (fault) throw refuse(path, fault);
    }
  }

  private notBelow(parent: string): string {
    const kind = this.files.includes(parent) ? 'file' : this.links.has(parent) ? 'symlink' : undefined;
    if (!kind) return 'its folder is not listed before it';
    return `it lies under ${quoted(parent)}, which is a ${kind}`;
  }
}
