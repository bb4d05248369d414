import { jupyterEnvironment, scheduleOverlaps, scheduleRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { folderSettings } from '../job-file.js';
import { type JobFlags, readSettings, readVariables } from '../job-flags.js';
import { hint, print, printJson } from '../output.js';
import { timeText } from '../text.js';
import { usage } from '../usage.js';
import { commandOf, projectHere, uploadCode, warnOfPaths } from './run.js';

interface Options extends JobFlags {
  cron: string;
  name?: string;
  tz?: string;
  overlap: string;
  task?: string;
  var?: string[];
  json?: boolean;
}

/** As `run`, but the clock submits it; the code is this folder's as it is now. */
export async function scheduleCreate(words: string[], options: Options): Promise<void> {
  const overlap = scheduleOverlaps.find((one) => one === options.overlap);
  if (!overlap) throw usage(`--overlap ${options.overlap}: write ${scheduleOverlaps.join(' or ')}`);
  const file = await folderSettings(options.task);
  const settings = { ...file.settings, ...readSettings(options) };
  if (settings.mode === 'jupyter') settings.environment ??= jupyterEnvironment;
  const command = commandOf(settings.mode, words, file);
  warnOfPaths(command);
  const env = readVariables(options.var);
  const session = await openSession();
  const params = await projectHere(session);
  const job = { ...settings, command, env, codeSnapshotId: await uploadCode(session, params) };
  const timezone = options.tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const schedule = await session.client.call(scheduleRoutes.create, {
    params,
    body: { name: options.name, cron: options.cron, timezone, overlap, job },
  });
  if (options.json) return printJson(schedule);
  print(`${schedule.name} submits \`${schedule.command}\` at ${schedule.cron} (${schedule.timezone}).`);
  if (schedule.nextRunAt)
    hint(
      `Its first time is ${timeText(schedule.nextRunAt)}. To try it now: mycloud schedule run ${schedule.name}`,
    );
  hint('Its code is this folder as it is now; after a change, delete it and make it anew.');
}
