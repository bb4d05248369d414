import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { jobRoutes } from '@mycloud/shared';
import { openSession, requireFolder } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { table } from '../text.js';
import { sentText, upload } from '../transfer.js';
import { usage } from '../usage.js';

interface Options {
  data: string[];
  gpu?: boolean;
  gpu2?: boolean;
  cpu?: boolean;
  cpu2?: boolean;
  env: string;
  tensorboard?: boolean;
  message?: string;
  maxRuntime?: string;
  retries: string;
  follow?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

/** `SRC:MOUNT`; without a mount it is at /input. */
function parseMount(text: string): { source: string; name: string } {
  const colon = text.lastIndexOf(':');
  const [source, name] =
    colon < 0 ? [text, 'input'] : [text.slice(0, colon), text.slice(colon + 1).replace(/^\//, '')];
  if (!source || !name)
    throw usage(`--data ${text}: write SOURCE:MOUNT, such as lab/datasets/dogsvscats/1:input`);
  return { source, name };
}

function machineOf(options: Options): string {
  const asked = (['gpu', 'gpu2', 'cpu', 'cpu2'] as const).filter((name) => options[name]);
  if (asked.length > 1) throw usage(`--${asked.join(' and --')} can't be asked for together`);
  return asked[0] ?? 'cpu';
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const match = /^(\d+)(s|m|h|d)?$/.exec(text);
  if (!match || Number(match[1]) === 0)
    throw usage(`--max-runtime ${text}: write seconds, or 90s, 30m, 2h, 1d`);
  return Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[(match[2] ?? 's') as 's' | 'm' | 'h' | 'd'];
}

export async function run(words: string[], options: Options): Promise<void> {
  const machine = machineOf(options);
  const mounts = options.data.map(parseMount);
  const maxRuntimeSeconds = secondsOf(options.maxRuntime);
  const retries = Number(options.retries);
  if (!Number.isInteger(retries) || retries < 0)
    throw usage(`--retries ${options.retries}: write a whole number`);
  const params = await requireFolder();
  const session = await openSession();

  hint(`Uploading the code of ${params.owner}/projects/${params.project}…`);
  const code = (await readdir('.')).length > 0 ? await upload(session, '.') : null;
  if (code) hint(sentText(code));
  const job = await session.client.call(
    jobRoutes.create,
    {
      params,
      body: {
        command: words.join(' '),
        description: options.message ?? '',
        codeSnapshotId: code?.snapshotId ?? null,
        mounts,
        machine,
        environment: options.env,
        tensorboard: options.tensorboard ?? false,
        maxRuntimeSeconds,
        retries,
      },
    },
    { headers: { 'idempotency-key': randomUUID() } },
  );
  if (options.json && !options.follow) return printJson(job);
  if (!options.json) {
    const name = job.name;
    print(
      table(['JOB', 'MACHINE', 'ENVIRONMENT', 'STATUS'], [[name, job.machine, job.environment, job.status]]),
    );
    hint(`See it: ${session.client.url}/${name}`);
    if (job.tensorboard) hint(`TensorBoard: ${session.client.url}/${name}/tensorboard`);
    if (!options.follow)
      hint(`\nTo see its log:\n  mycloud logs -f ${job.number}\nTo stop it:\n  mycloud stop ${job.number}`);
  }
  if (!options.follow) return;
  const { follow } = await import('../follow.js');
  await follow(
    session,
    { ...params, number: job.number },
    { json: options.json, exitStatus: options.exitStatus },
  );
}
