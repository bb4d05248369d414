import { AppError, teamRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import type { Logins } from '../http/logins.js';
import { serve } from '../http/route.js';
import { removeMember, setMember } from '../teams/members.js';
import { deleteTeam, findTeam, listTeams, viewTeam } from '../teams/teams.js';
import { requireFreeName } from '../users/name.js';

export function teamRoutes(app: FastifyInstance, deps: Deps, logins: Pick<Logins, 'forgetUser'>): void {
  const { db } = deps;

  serve(app, contract.list, async ({ caller }) => ({ items: await listTeams(deps, caller) }));

  serve(app, contract.create, async ({ body, caller }) => {
    await requireFreeName(deps, body.name);
    const admin = await db.user.findUnique({ where: { name: body.admin ?? caller.name, kind: 'user' } });
    if (!admin) throw new AppError('not_found', `there is no user ${body.admin}`);
    const team = await db.user.create({
      data: { name: body.name, kind: 'team', members: { create: { userId: admin.id, role: 'admin' } } },
    });
    logins.forgetUser(admin.id);
    return viewTeam(deps, caller, team);
  });

  serve(app, contract.get, async ({ params, caller }) =>
    viewTeam(deps, caller, await findTeam(deps, caller, params.team, 'read')),
  );

  serve(app, contract.setMember, async ({ params, body, caller }) => {
    const team = await findTeam(deps, caller, params.team, 'manage');
    const { userId, ...member } = await setMember(deps, caller, team, params.user, body.role);
    logins.forgetUser(userId);
    return member;
  });

  serve(app, contract.removeMember, async ({ params, caller }) => {
    const need = params.user === caller.name ? 'read' : 'manage';
    const team = await findTeam(deps, caller, params.team, need);
    logins.forgetUser(await removeMember(deps, caller, team, params.user));
  });

  serve(app, contract.delete, async ({ params, caller }) => {
    const team = await findTeam(deps, caller, params.team, 'manage');
    const members = await db.member.findMany({ where: { teamId: team.id } });
    await deleteTeam(deps, team);
    for (const { userId } of members) logins.forgetUser(userId);
  });
}
