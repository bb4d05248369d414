import { AppError, datasetName, datasetRoutes, jobRoutes, snapshotRoutes } from '@mycloud/shared';
import { diffEntries, type Entry, fetchManifest } from '@mycloud/snapshots';
import { createTwoFilesPatch } from 'diff';
import { openSession, type Session } from '../context.js';
import { print, printJson } from '../output.js';
import { datasetRef, findVersion } from '../sources.js';
import { bytesText, paint } from '../text.js';

/** Longer files, and those with a NUL byte, are named and not shown. */
const maxTextBytes = 256 * 1024;

interface Side {
  name: string;
  /** null: a tree without files */
  snapshotId: string | null;
}

/** Compares two versions of datasets; with one, it and the version before. */
export async function dataDiff(
  version: string,
  other: string | undefined,
  { json }: { json?: boolean },
): Promise<void> {
  const session = await openSession();
  const to = await findVersion(session, version);
  const from = other === undefined ? await versionBefore(session, version, to.number) : undefined;
  const base = from ?? (await findVersion(session, other!));
  // `diff a b` reads as from a to b; with one version it is the newer.
  const sides: [Side, Side] = other === undefined ? [base, to] : [to, base];
  await show(session, sides, { json, text: false });
}

async function versionBefore(session: Session, text: string, number: number) {
  const { params } = await datasetRef(session, text);
  const { items } = await session.client.call(datasetRoutes.versions, { params, query: { limit: 500 } });
  const before = items.find((item) => item.number < number);
  if (before) return before;
  throw new AppError(
    'bad_request',
    `${datasetName(params.owner, params.dataset, number)} is the first version`,
    {
      hint: 'Name two versions to compare.',
    },
  );
}

/** Compares the code of two jobs, line by line, or their outputs by name and size. */
export async function jobDiff(
  job: string,
  other: string,
  { output, json }: { output?: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const side = async (text: string): Promise<Side> => {
    const found = await session.client.call(jobRoutes.get, { params: await session.jobRef(text) });
    return { name: found.name, snapshotId: output ? found.outputSnapshotId : found.codeSnapshotId };
  };
  await show(session, [await side(job), await side(other)], { json, text: !output });
}

async function show(
  session: Session,
  [from, to]: [Side, Side],
  { json, text }: { json?: boolean; text: boolean },
): Promise<void> {
  const entriesOf = async ({ snapshotId }: Side): Promise<Entry[]> =>
    snapshotId === null ? [] : fetchManifest(session.client, snapshotId);
  const [before, after] = await Promise.all([entriesOf(from), entriesOf(to)]);
  const diff = diffEntries(before, after);
  if (json) return printJson({ from: from.name, to: to.name, ...diff });
  const sizes = new Map([...before, ...after].map((entry) => [entry.path, sizeOf(entry)]));
  const c = paint(process.stdout);
  const line = (mark: string, path: string) => `${mark} ${path}  ${c.dim(sizes.get(path) ?? '')}`;
  for (const path of diff.added) print(c.green(line('+', path)));
  for (const path of diff.removed) print(c.red(line('-', path)));
  for (const path of diff.changed) print(c.yellow(line('~', path)));
  if (diff.added.length + diff.removed.length + diff.changed.length === 0)
    return print(`${from.name} and ${to.name} are the same.`);
  if (!text) return;
  for (const path of [...diff.added, ...diff.removed, ...diff.changed].sort()) {
    const [a, b] = await Promise.all([textOf(session, from, before, path), textOf(session, to, after, path)]);
    if (a === undefined || b === undefined || a === b) continue;
    print(createTwoFilesPatch(`${from.name}/${path}`, `${to.name}/${path}`, a, b).replace(/^=+\n/, ''));
  }
}

const sizeOf = (entry: Entry): string => (entry.type === 'file' ? bytesText(entry.size) : entry.type);

/** @returns the file as text, nothing for one that isn't there, undefined for what can't be shown as lines */
async function textOf(
  session: Session,
  { snapshotId }: Side,
  entries: readonly Entry[],
  path: string,
): Promise<string | undefined> {
  const entry = entries.find((candidate) => candidate.path === path);
  if (!entry || snapshotId === null) return '';
  if (entry.type !== 'file' || entry.size > maxTextBytes) return undefined;
  const answer = await session.client.open(snapshotRoutes.file, {
    params: { id: snapshotId },
    query: { path },
  });
  const text = await answer.text();
  return text.includes('\0') ? undefined : text;
}
