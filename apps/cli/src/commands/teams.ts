import { type TeamDetail, type TeamRole, teamRoutes } from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, countText, table } from '../text.js';

interface Json {
  json?: boolean;
}

export async function teamList({ json }: Json): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(teamRoutes.list, {});
  if (json) return printJson(answer);
  if (answer.items.length === 0) return hint('You are in no team. An admin of the server makes them.');
  const rows = answer.items.map(({ name, role, members }) => [name, role ?? '–', String(members)]);
  print(table(['TEAM', 'YOU ARE', 'MEMBERS'], rows));
}

export async function teamShow(team: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const found = await session.client.call(teamRoutes.get, { params: { team } });
  if (json) return printJson(found);
  showMembers(found);
  const { storage, projects, datasets, limits } = found;
  const quota = storage.quotaBytes === null ? '' : ` of ${bytesText(storage.quotaBytes)}`;
  print(
    `It owns ${countText(projects, 'project')} and ${countText(datasets, 'dataset')}, and stores ${bytesText(storage.storedBytes)}${quota}.`,
  );
  if (limits.jobs !== null || limits.gpus !== null)
    print(
      `Together its jobs may be ${limits.jobs ?? 'any number'} and use ${limits.gpus ?? 'any number of'} GPUs.`,
    );
}

function showMembers({ members }: TeamDetail): void {
  print(
    table(
      ['USER', 'ROLE', 'SINCE'],
      members.map(({ user, role, since }) => [user, role, since.slice(0, 10)]),
    ),
  );
}

export async function teamCreate(team: string, { admin, json }: Json & { admin?: string }): Promise<void> {
  const session = await openSession();
  const made = await session.client.call(teamRoutes.create, { body: { name: team, admin } });
  if (json) return printJson(made);
  print(`Team ${team} was made; ${made.members[0]?.user} is its admin.`);
  hint(`Add people: mycloud team add ${team} USER; begin a project of it: mycloud init ${team}/NAME`);
}

export async function teamDelete(team: string, { yes, json }: Json & { yes?: boolean }): Promise<void> {
  const session = await openSession();
  await confirm(`Delete the team ${team}?`, yes);
  await session.client.call(teamRoutes.delete, { params: { team } });
  if (json) printJson({ deleted: team });
  else print(`Team ${team} was deleted.`);
}

export async function teamAdd(
  team: string,
  user: string,
  { role, json }: Json & { role: TeamRole },
): Promise<void> {
  const session = await openSession();
  const member = await session.client.call(teamRoutes.setMember, { params: { team, user }, body: { role } });
  if (json) printJson(member);
  else print(`${user} is ${role === 'admin' ? 'an admin' : `a ${role}`} of ${team} now.`);
}

export async function teamRemove(team: string, user: string, { json }: Json): Promise<void> {
  const session = await openSession();
  await session.client.call(teamRoutes.removeMember, { params: { team, user } });
  if (json) printJson({ removed: user });
  else print(`${user} is not in ${team} any more.`);
}
