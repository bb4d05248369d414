import { tokenRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { table } from '../text.js';

export async function tokenCreate(
  name: string,
  options: { worker?: boolean; days?: string; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const body = {
    name,
    kind: options.worker ? ('worker' as const) : ('user' as const),
    expiresInDays: options.days ? Number(options.days) : undefined,
  };
  const made = await session.client.call(tokenRoutes.create, { body });
  if (options.json) return printJson(made);
  print(made.token);
  hint('It is shown this once: keep it now.');
}

export async function tokenList({ json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(tokenRoutes.list, {});
  if (json) return printJson(answer);
  const rows = answer.items.map((token) => [
    token.id,
    token.name,
    token.kind,
    `…${token.last4}`,
    token.createdAt,
    token.expiresAt ?? 'never',
  ]);
  print(table(['ID', 'NAME', 'KIND', 'TOKEN', 'MADE', 'ENDS'], rows));
}

export async function tokenRevoke(id: string, { json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  await session.client.call(tokenRoutes.revoke, { params: { id } });
  if (json) printJson({ revoked: id });
  else print('Revoked.');
}
