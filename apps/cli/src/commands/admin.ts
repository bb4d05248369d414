import { type Retention, retentionRoutes, storageRoutes, userRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { bytesText, parseBytes, table } from '../text.js';
import { usage } from '../usage.js';

export async function adminGc({ dryRun = false, json }: { dryRun?: boolean; json?: boolean }): Promise<void> {
  const session = await openSession();
  const report = await session.client.call(storageRoutes.collectGarbage, { body: { dryRun } });
  if (json) return printJson(report);
  if (report.busy) return print('The server is at it just now.');
  const would = dryRun ? 'would be ' : '';
  print(
    `${bytesText(report.freedBytes)} ${would}freed: ${report.deletedPacks} packs without chunks, ${report.incompletePacks} that never came whole.`,
  );
  print(
    `${report.deletedSnapshots} snapshots and ${report.deletedChunks} chunks ${would}deleted; ${report.rewrittenPacks} half-empty packs ${would}rewritten.`,
  );
  print(
    `${report.doomedSnapshots} snapshots and ${report.doomedChunks} chunks ${dryRun ? 'are' : 'were'} found that nothing refers to any more; they go after the grace period.`,
  );
}

export async function adminQuota(user: string, text: string, { json }: { json?: boolean }): Promise<void> {
  const quotaBytes = text === 'none' ? null : parseBytes(text);
  if (quotaBytes === undefined) throw usage(`${text}: write bytes, or 500MB, 20GB, 1TB, none`);
  const session = await openSession();
  const storage = await session.client.call(storageRoutes.setQuota, {
    params: { user },
    body: { quotaBytes },
  });
  if (json) return printJson(storage);
  const quota = storage.quotaBytes === null ? 'without a limit' : `of ${bytesText(storage.quotaBytes)}`;
  print(`${user} stores ${bytesText(storage.storedBytes)} ${quota}.`);
}

export async function adminLimit(
  user: string,
  { json, ...wanted }: { jobs?: string; gpus?: string; json?: boolean },
): Promise<void> {
  if (wanted.jobs === undefined && wanted.gpus === undefined)
    throw usage('say what to limit: --jobs 4, --gpus 1, or none for any number');
  const body = { jobs: limitOf('--jobs', wanted.jobs), gpus: limitOf('--gpus', wanted.gpus) };
  const session = await openSession();
  const limits = await session.client.call(userRoutes.setLimits, { params: { user }, body });
  if (json) return printJson(limits);
  const words = (count: number | null, noun: string): string =>
    count === null ? `any number of ${noun}s` : `${count} ${noun}${count === 1 ? '' : 's'}`;
  print(
    `${user} may run ${words(limits.jobs, 'job')} and use ${words(limits.gpus, 'GPU')} at the same time.`,
  );
}

export async function adminRetention({
  json,
  ...wanted
}: Partial<Record<keyof Retention, string>> & { json?: boolean }): Promise<void> {
  const said = Object.entries(wanted).map(([what, text]) => [what, daysOf(`--${what}`, text)]);
  const body = Object.fromEntries(said) as Partial<Retention>;
  const session = await openSession();
  const now =
    said.length === 0
      ? await session.client.call(retentionRoutes.get, {})
      : await session.client.call(retentionRoutes.set, { body });
  if (json) return printJson(now);
  const rows = Object.entries(now).map(([what, days]) => [what, days === null ? 'for ever' : `${days} days`]);
  print(table(['WHAT', 'IS KEPT'], rows));
}

/** null: for ever. */
function daysOf(option: string, text: string): number | null {
  if (text === 'none') return null;
  const days = /^(\d{1,5})d?$/.exec(text)?.[1];
  if (days === undefined || Number(days) === 0)
    throw usage(`${option} ${text}: write a number of days, or none`);
  return Number(days);
}

/** undefined: it stays as it is; null: any number. */
function limitOf(option: string, text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return null;
  if (!/^\d{1,6}$/.test(text)) throw usage(`${option} ${text}: write a whole number, or none`);
  return Number(text);
}
