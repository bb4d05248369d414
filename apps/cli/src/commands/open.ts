import { jobName } from '@mycloud/shared';
import { openSession } from '../context.js';
import { printJson } from '../output.js';
import { pageLink, showLink } from '../page-link.js';

/** Prints a link to the page, or to a job's, and opens it where there is a screen. */
export async function open(
  job: string | undefined,
  options: { browser: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const to = job === undefined ? undefined : `/${jobName(await session.jobRef(job))}`;
  const link = await pageLink(session.client, to);
  if (options.json) printJson(link);
  else showLink(link.url, options.browser);
}
