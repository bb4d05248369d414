import { jobName, type LogLine, logRoutes, type RouteOutput } from '@mycloud/shared';
import { openSession } from '../context.js';
import { follow } from '../follow.js';
import { lineText } from '../log-line.js';
import { print, printJson } from '../output.js';
import { usage } from '../usage.js';

interface Options {
  follow?: boolean;
  tail?: string | true;
  url?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

/** Prints and ends; -f goes on, and -t without a number does as floyd did. */
export async function logs(name: string | undefined, options: Options): Promise<void> {
  const tail = typeof options.tail === 'string' ? Number(options.tail) : undefined;
  if (tail !== undefined && !(Number.isInteger(tail) && tail >= 0 && tail <= 10_000)) {
    throw usage(`--tail ${options.tail}: write a number up to 10000`);
  }
  const session = await openSession();
  const params = await session.jobRef(name);
  if (options.url) {
    const url = `${session.client.url}/${jobName(params)}/logs`;
    return options.json ? printJson({ url }) : print(url);
  }
  if (options.follow || options.tail === true) {
    return follow(session, params, { json: options.json, tail, exitStatus: options.exitStatus });
  }
  const show = (lines: LogLine[]) => {
    for (const line of lines) options.json ? printJson(line) : print(lineText(line));
  };
  if (tail !== undefined)
    return show((await session.client.call(logRoutes.range, { params, query: { tail } })).lines);
  let after = '0.0';
  for (;;) {
    const page: RouteOutput<typeof logRoutes.range> = await session.client.call(logRoutes.range, {
      params,
      query: { after, limit: 10_000 },
    });
    show(page.lines);
    if (page.lines.length === 0) return;
    after = page.cursor;
  }
}
