import { invitationRoutes, type TeamRole } from '@mycloud/shared';
import { openSession } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { table } from '../text.js';
import { usage } from '../usage.js';

interface Json {
  json?: boolean;
}

export async function adminInvite(options: {
  admin?: boolean;
  team?: string;
  role: TeamRole;
  days: string;
  message?: string;
  json?: boolean;
}): Promise<void> {
  const days = Number(options.days);
  if (!(days > 0 && days <= 90)) throw usage(`--days ${options.days}: write a number up to 90`);
  const session = await openSession();
  const made = await session.client.call(invitationRoutes.create, {
    body: {
      role: options.admin ? 'admin' : 'user',
      team: options.team,
      teamRole: options.role,
      note: options.message,
      expiresInDays: days,
    },
  });
  const url = session.client.url + made.path;
  if (options.json) return printJson({ ...made, url });
  print(url);
  hint(`Whoever opens it first chooses a name and a password. It is good until ${made.expiresAt}.`);
  hint(`Without a browser: mycloud login --url ${session.client.url} --invite ${made.secret}`);
}

export async function adminInvitations({ json }: Json): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(invitationRoutes.list, {});
  if (json) return printJson(answer);
  if (answer.items.length === 0) return hint('Nobody was invited yet: mycloud admin invite');
  const rows = answer.items.map(
    ({ id, role, team, teamRole, note, invitedBy, state, acceptedBy, expiresAt }) => [
      id,
      state === 'accepted' ? `taken by ${acceptedBy}` : state,
      team === null ? role : `${role}, ${teamRole} of ${team}`,
      invitedBy,
      expiresAt.slice(0, 16).replace('T', ' '),
      note,
    ],
  );
  print(table(['ID', 'STATE', 'AS', 'BY', 'ENDS', 'FOR'], rows));
}

export async function adminUninvite(id: string, { json }: Json): Promise<void> {
  const session = await openSession();
  await session.client.call(invitationRoutes.revoke, { params: { id } });
  if (json) printJson({ revoked: id });
  else print('That link is good for nothing now.');
}
