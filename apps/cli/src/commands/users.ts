import { type User, userRoutes } from '@mycloud/shared';
import { ask } from '../ask.js';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { table } from '../text.js';

interface Json {
  json?: boolean;
}

/** All of them, however many pages. */
export async function userList({ json }: Json): Promise<void> {
  const session = await openSession();
  const users: User[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await session.client.call(userRoutes.list, { query: { limit: 500, cursor } });
    users.push(...page.items);
    cursor = page.nextCursor;
  }
  if (json) return printJson({ items: users });
  const rows = users.map(({ name, role, disabled, createdAt }) => [
    name,
    role,
    disabled ? 'disabled' : '',
    createdAt.slice(0, 10),
  ]);
  print(table(['USER', 'ROLE', '', 'SINCE'], rows));
}

export async function userChange(
  user: string,
  change: { role?: 'user' | 'admin'; disabled?: boolean },
  { json }: Json,
): Promise<void> {
  const session = await openSession();
  const now = await session.client.call(userRoutes.update, { params: { user }, body: change });
  if (json) return printJson(now);
  if (change.role) print(`${user} is ${now.role === 'admin' ? 'an admin' : 'no admin'} of this server now.`);
  else print(now.disabled ? `${user} is kept out, with all his tokens.` : `${user} may log in again.`);
}

export async function userPassword(user: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const password = await ask(`New password of ${user}`);
  const now = await session.client.call(userRoutes.update, { params: { user }, body: { password } });
  if (json) printJson(now);
  else print(`${user} has a new password.`);
}
