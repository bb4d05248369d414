import path from 'node:path';
import type { Summaries } from '@mycloud/shared';
import type { ManifestFile } from '@mycloud/snapshots';
import { decodeEvent, decodePictures, streamRecords } from '@mycloud/tfevents';
import type { Deps } from '../deps.js';
import type { SnapshotRow } from '../snapshots/access.js';
import { readFile } from '../snapshots/files.js';
import { eventFilesOf } from './event-folder.js';
import type { SavedOutputs } from './saved-outputs.js';
import { SummaryTable } from './summary-table.js';

/** Read for one answer: what is larger is TensorBoard's to show. */
const mostBytes = 128 * 1024 * 1024;
const mostProblems = 10;
const kept = 4;

/** Reads the event files of what a job has saved. The last few answers are kept: a saved output never changes. */
export function openSummaries(deps: Deps, outputs: SavedOutputs): (jobId: string) => Promise<Summaries> {
  const cache = new Map<string, Promise<Summaries>>();
  return async (jobId) => {
    const output = await outputs.of(jobId);
    if (!output) return { snapshotId: null, scalars: [], images: [], histograms: [], problems: [] };
    const known = cache.get(output.id) ?? read(deps, output, eventFilesOf(await outputs.entries(output)));
    cache.delete(output.id);
    cache.set(output.id, known);
    // Not a failure: the next one reads again.
    known.catch(() => cache.delete(output.id));
    const oldest = cache.keys().next().value;
    if (cache.size > kept && oldest) cache.delete(oldest);
    return known;
  };
}

async function read(deps: Deps, output: SnapshotRow, files: readonly ManifestFile[]): Promise<Summaries> {
  const table = new SummaryTable();
  const problems: string[] = [];
  const problem = (file: ManifestFile, text: string) => {
    if (problems.length < mostProblems) problems.push(`${file.path} ${text}.`);
  };
  let room = mostBytes;
  for (const file of files) {
    const length = Math.min(file.size, room);
    room -= length;
    if (length < file.size)
      problem(file, `is read up to byte ${length}: event files of a job are read up to 128 MiB`);
    if (length === 0) continue;
    const folder = path.posix.dirname(file.path);
    const run = folder === '.' ? '' : folder;
    const cut = length < file.size;
    const parts = readFile(deps, output.ownerId, file, 0, length - 1);
    for await (const { data, offset } of streamRecords(parts, (text) => cut || problem(file, text))) {
      try {
        const { step, wallTime, scalars } = decodeEvent(data);
        const at = { step, time: Math.round(wallTime * 1000) };
        for (const { tag, value } of scalars) table.scalar(run, tag, at, value);
        const { images, histograms } = decodePictures(data);
        for (const { tag, start, ...image } of images)
          table.image(run, tag, { ...at, ...image, file: file.path, start: offset + start });
        for (const { tag, buckets } of histograms) table.histogram(run, tag, at, buckets);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        problem(file, `has a record at byte ${offset} that is no event`);
      }
    }
  }
  if (table.leftOut > 0) problems.push(`${table.leftOut} values of further tags are left out.`);
  return { snapshotId: output.id, ...table.answer(), problems };
}
