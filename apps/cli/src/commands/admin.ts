import { storageRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { bytesText, parseBytes } from '../text.js';
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
