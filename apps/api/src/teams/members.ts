import { AppError, type Member, type TeamRole } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { viewMember } from './teams.js';

interface Named {
  id: string;
  name: string;
}

/** @throws AppError not_found: a team is no member of a team */
async function findUser({ db }: Deps, name: string): Promise<Named> {
  const user = await db.user.findUnique({ where: { name, kind: 'user' } });
  if (user) return user;
  throw new AppError('not_found', `there is no user ${name}`, {
    hint: 'An admin of the server invites somebody new: mycloud admin invite --team TEAM',
  });
}

/** Takes a user into a team, or changes what he is there. @throws AppError not_found; conflict for the team's last admin */
export async function setMember(
  deps: Deps,
  caller: UserPrincipal,
  team: Named,
  name: string,
  role: TeamRole,
): Promise<Member & { userId: string }> {
  const user = await findUser(deps, name);
  const key = { teamId: team.id, userId: user.id };
  const member = await deps.db.$transaction(async (tx) => {
    // The team's lock: of two admins who take the role from each other at once, one stays.
    await tx.$queryRaw`SELECT 1 FROM "User" WHERE id = ${team.id}::uuid FOR NO KEY UPDATE`;
    if (role !== 'admin') await keepAnAdmin(tx, caller, team, user);
    return tx.member.upsert({
      where: { teamId_userId: key },
      create: { ...key, role },
      update: { role },
      include: { user: { select: { name: true } } },
    });
  });
  return { ...viewMember(member), userId: user.id };
}

/** Takes a user out of a team. @returns his id @throws AppError not_found; conflict for the team's last admin */
export async function removeMember(
  deps: Deps,
  caller: UserPrincipal,
  team: Named,
  name: string,
): Promise<string> {
  const user = await findUser(deps, name);
  const count = await deps.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM "User" WHERE id = ${team.id}::uuid FOR NO KEY UPDATE`;
    await keepAnAdmin(tx, caller, team, user);
    return (await tx.member.deleteMany({ where: { teamId: team.id, userId: user.id } })).count;
  });
  if (count === 0) throw new AppError('not_found', `${name} is not in ${team.name}`);
  return user.id;
}

/** A team without an admin could be mended by the server's admins alone, who may therefore make it so. */
async function keepAnAdmin(
  { member }: Pick<Deps['db'], 'member'>,
  caller: UserPrincipal,
  team: Named,
  user: Named,
): Promise<void> {
  if (caller.role === 'admin') return;
  const admins = await member.findMany({ where: { teamId: team.id, role: 'admin' } });
  if (admins.length !== 1 || admins[0]?.userId !== user.id) return;
  throw new AppError('conflict', `${user.name} is the only admin of ${team.name}`, {
    hint: 'Make somebody else an admin first.',
  });
}
