import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { TrainerError } from '../errors.js';
import { checkHeader } from './decode.js';

export interface Skipped {
  path: string;
  reason: string;
}

export interface Scan {
  /** Sorted; a sample's label is its class's place here. */
  classes: string[];
  samples: { path: string; label: number }[];
  skipped: Skipped[];
  /** How many of the samples note a camera's turn (EXIF). */
  turned: number;
}

const pictures = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);
/** Keras reads these; they are named as skipped here instead of being silently absent. */
const unreadable = new Set(['.bmp', '.ppm']);

/** By the end of its name; what is in it decides how it is read. */
function isPicture(file: string): boolean {
  const kind = path.extname(file).toLowerCase();
  return pictures.has(kind) || unreadable.has(kind);
}

/** The same order on every machine and in every locale. */
const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

async function list(dir: string) {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((e) => !e.name.startsWith('.')).sort((a, b) => byName(a.name, b.name));
  } catch (cause) {
    throw new TrainerError('no_data', `The folder ${dir} can't be read: ${(cause as Error).message}.`, {
      cause,
      hint: 'Check the path, and that the dataset is mounted there (--data NAME:input is at /input).',
    });
  }
}

async function isFolder(
  dir: string,
  entry: { name: string; isDirectory(): boolean; isSymbolicLink(): boolean },
) {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path.join(dir, entry.name)).then(
    (s) => s.isDirectory(),
    () => false, // a link to nowhere is neither a class nor a picture
  );
}

async function files(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await list(dir)) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) found.push(...(await files(full)));
    else found.push(full);
  }
  return found;
}

/** Takes the first `share` pictures whose headers can be read. */
async function choose(candidates: string[], share: number, scan: Scan): Promise<string[]> {
  const chosen: string[] = [];
  let next = 0;
  while (next < candidates.length && chosen.length < share) {
    const chunk = candidates.slice(next, next + Math.min(64, share - chosen.length));
    next += chunk.length;
    const reasons = await Promise.all(
      chunk.map((file) => {
        if (!unreadable.has(path.extname(file).toLowerCase())) {
          return checkHeader(file).then(
            ({ turned }) => {
              if (turned) scan.turned++;
              return undefined;
            },
            (error: Error) => error.message,
          );
        }
        return 'this format is not supported; convert it to PNG or JPEG';
      }),
    );
    for (const [i, file] of chunk.entries()) {
      const reason = reasons[i];
      if (reason === undefined) chosen.push(file);
      else scan.skipped.push({ path: file, reason });
    }
  }
  return chosen;
}

/** Every picture under a folder whose header can be read, in the order of names. */
export async function findPictures(dir: string): Promise<{ files: string[]; skipped: Skipped[] }> {
  const scan: Scan = { classes: [], samples: [], skipped: [], turned: 0 };
  const found = await choose((await files(dir)).filter(isPicture), Number.POSITIVE_INFINITY, scan);
  return { files: found, skipped: scan.skipped };
}

/**
 * Finds the pictures of a folder with one folder per class, reading only their headers.
 * `maxSamples` takes an even share of each class, in the order of names.
 * Throws TrainerError 'no_data' where a class is missing or has no picture.
 */
export async function scanDirectory(dir: string, maxSamples: number | undefined): Promise<Scan> {
  const entries = await list(dir);
  const folders = await Promise.all(entries.map((e) => isFolder(dir, e)));
  const classes = entries.filter((_, i) => folders[i]).map((e) => e.name);
  if (classes.length < 2) {
    const found = classes.length === 0 ? 'no folder' : `only the folder "${classes[0]}"`;
    throw new TrainerError(
      'no_data',
      `${dir} holds ${found}: training needs a folder for each of two classes.`,
      {
        hint: `Lay the pictures out as ${path.join(dir, 'cats')}/*.jpg and ${path.join(dir, 'dogs')}/*.jpg.`,
      },
    );
  }
  if (maxSamples !== undefined && (!Number.isInteger(maxSamples) || maxSamples < classes.length)) {
    throw new TrainerError(
      'bad_option',
      `maxSamples is ${maxSamples}: it must be a whole number, at least one for each of ${classes.length} classes.`,
    );
  }
  const scan: Scan = { classes, samples: [], skipped: [], turned: 0 };
  for (const [label, name] of classes.entries()) {
    const all = await files(path.join(dir, name));
    const candidates = all.filter(isPicture);
    const share =
      maxSamples === undefined
        ? Number.POSITIVE_INFINITY
        : Math.floor(maxSamples / classes.length) + (label < maxSamples % classes.length ? 1 : 0);
    const chosen = await choose(candidates, share, scan);
    if (chosen.length === 0) {
      const broken = candidates.length > 0 ? ` ${candidates.length} could not be read, the first: ` : '';
      const first = scan.skipped.find((s) => s.path === candidates[0]);
      throw new TrainerError(
        'no_data',
        `The class "${name}" has no pictures in ${path.join(dir, name)}.${broken}${first ? `${first.path} (${first.reason}).` : ''}`,
        { hint: `Put ${[...pictures].join(', ')} files there, or remove the folder.` },
      );
    }
    for (const file of chosen) scan.samples.push({ path: file, label });
  }
  return scan;
}
