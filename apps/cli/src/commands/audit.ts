import { type AuditEntry, auditRoutes, parseSeconds } from '@mycloud/shared';
import { openSession } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { table } from '../text.js';
import { usage } from '../usage.js';

export async function adminAudit(options: {
  user?: string;
  action?: string;
  target?: string;
  since?: string;
  limit: string;
  json?: boolean;
}): Promise<void> {
  const most = Number(options.limit);
  if (!Number.isInteger(most) || most < 1) throw usage(`--limit ${options.limit}: write a whole number`);
  const { user, action, target } = options;
  const since = options.since === undefined ? undefined : timeOf(options.since);
  const session = await openSession();
  const found: AuditEntry[] = [];
  let cursor: string | null | undefined;
  while (found.length < most && cursor !== null) {
    const limit = Math.min(500, most - found.length);
    const query = { user, action, target, since, cursor, limit };
    const page = await session.client.call(auditRoutes.list, { query });
    found.push(...page.items);
    cursor = page.nextCursor;
  }
  if (options.json) return printJson({ items: found });
  if (found.length === 0) return hint('There are no such entries.');
  // As a log is read: the newest last.
  print(table(['TIME', 'USER', 'BY', 'ACTION', 'ON', 'FROM', 'OUTCOME'], found.reverse().map(rowOf)));
  if (cursor) hint(`There are older ones: -n ${most * 10}`);
}

const rowOf = ({ time, user, via, action, target, detail, address, outcome }: AuditEntry): string[] => {
  const more = Object.entries(detail).map(([name, value]) => `${name} ${String(value)}`);
  return [
    time.slice(0, 19).replace('T', ' '),
    user ?? '–',
    via,
    action,
    [target, ...(more.length > 0 ? [`(${more.join(', ')})`] : [])].join(' ').trim(),
    address,
    outcome.replaceAll('_', ' '),
  ];
};

/** A moment, or how long ago. @throws CommanderError */
function timeOf(text: string): string {
  const seconds = parseSeconds(text);
  if (seconds !== undefined) return new Date(Date.now() - seconds * 1000).toISOString();
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw usage(`--since ${text}: write 2h, 7d, or a time as 2026-11-29T12:00:00Z`);
  return time.toISOString();
}
