import { AppError, teamRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { removeMember, setMember } from '../teams/members.js';
import { deleteTeam, findTeam, listTeams, viewTeam } from '../teams/teams.js';
import { requireFreeName } from '../users/name.js';

export function teamRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, hub } = deps;

  serve(app, contract.list, async ({ caller }) => ({ items: await listTeams(deps, caller) }));

  serve(app, contract.create, async ({ body, caller }) => {
    await requireFreeName(deps, body.name);
    const admin = await db.user.findUnique({ where: { name: body.admin ?? caller.name, kind: 'user' } });
    if (!admin) throw new AppError('not_found', `there is no user ${body.admin}`);
    const team = await db.user.create({
      data: { name: body.name, kind: 'team', members: { create: { userId: admin.id, role: 'admin' } } },
    });
    await hub.publish({ type: 'user_changed', userId: admin.id, less: false });
    return viewTeam(deps, caller, team);
  });

  serve(app, contract.get, async ({ params, caller }) =>
    viewTeam(deps, caller, await findTeam(deps, caller, params.team, 'read')),
  );

  serve(app, contract.setMember, async ({ params, body, caller }) => {
    const team = await findTeam(deps, caller, params.team, 'manage');
    const { userId, ...member } = await setMember(deps, caller, team, params.user, body.role);
    await hub.publish({ type: 'user_changed', userId, less: false });
    return member;
  });

  serve(app, contract.removeMember, async ({ params, caller }) => {
    const need = params.user === caller.name ? 'read' : 'manage';
    const team = await findTeam(deps, caller, params.team, need);
    const userId = await removeMember(deps, caller, team, params.user);
    await hub.publish({ type: 'user_changed', userId, less: true });
  });

  serve(app, contract.delete, async ({ params, caller }) => {
    const team = await findTeam(deps, caller, params.team, 'manage');
    const members = await db.member.findMany({ where: { teamId: team.id } });
    await deleteTeam(deps, team);
    for (const { userId } of members) await hub.publish({ type: 'user_changed', userId, less: true });
  });
}
