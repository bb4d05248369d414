import { AppError, type EditJob, type Job, jobRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';

/** Reads a job, changes it, and does both once more if somebody changed it in between. */
async function edit(name: string, change: (job: Job) => EditJob): Promise<Job> {
  const session = await openSession();
  const params = await session.jobRef(name);
  const once = async () => {
    const job = await session.client.call(jobRoutes.get, { params });
    const headers = { 'if-match': `"${job.revision}"` };
    return session.client.call(jobRoutes.update, { params, body: change(job) }, { headers });
  };
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'changed_meanwhile')) throw error;
    return once();
  }
}

/** Puts tags on a job, or takes them off, and shows those it has. */
export async function tag(
  name: string,
  words: string[],
  options: { delete?: boolean; json?: boolean },
): Promise<void> {
  const job = await edit(name, ({ tags }) => ({
    tags: options.delete ? tags.filter((one) => !words.includes(one)) : [...tags, ...words],
  }));
  if (options.json) printJson(job);
  else print(`${job.name}: ${job.tags.join(', ') || 'no tags'}`);
}

/** Writes the note of a job; an empty one takes it away. */
export async function note(name: string, words: string[], options: { json?: boolean }): Promise<void> {
  const job = await edit(name, () => ({ note: words.join(' ') }));
  if (options.json) printJson(job);
  else print(job.note ? `${job.name} has its note.` : `${job.name} has no note any more.`);
}
