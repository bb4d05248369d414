import { AppError, type Team, type TeamDetail, teamRoleSchema } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { reaches, rightOver } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { storageOf } from '../snapshots/quota.js';

interface TeamRow {
  id: string;
  name: string;
  createdAt: Date;
  maxJobs: number | null;
  maxGpus: number | null;
}

/** The teams the caller is in, by name; for an admin of the server all there are. */
export async function listTeams({ db }: Deps, caller: UserPrincipal): Promise<Team[]> {
  const rows = await db.user.findMany({
    where: { kind: 'team', ...(caller.role !== 'admin' && { id: { in: [...caller.teams.keys()] } }) },
    include: { _count: { select: { members: true } } },
    orderBy: { name: 'asc' },
  });
  return rows.map(({ id, name, createdAt, _count }) => ({
    name,
    role: caller.teams.get(id) ?? null,
    members: _count.members,
    createdAt: createdAt.toISOString(),
  }));
}

/**
 * A team the caller may see, or say who is in it.
 * @throws AppError not_found for one that isn't there or that he isn't in; forbidden for those who are no admins of it
 */
export async function findTeam(
  { db }: Deps,
  caller: UserPrincipal,
  name: string,
  need: 'read' | 'manage',
): Promise<TeamRow> {
  const team = await db.user.findUnique({ where: { name, kind: 'team' } });
  const right = team && rightOver(caller, team.id);
  if (!team || !right || right === 'none') {
    throw new AppError('not_found', `there is no team ${name}, or you are not in it`, {
      hint: 'Run `mycloud team list` to see your teams.',
    });
  }
  if (!reaches(right, need)) throw new AppError('forbidden', `only an admin of ${name} may do this`);
  return team;
}

export async function viewTeam(deps: Deps, caller: UserPrincipal, team: TeamRow): Promise<TeamDetail> {
  const { db } = deps;
  const [members, projects, datasets, storage] = await Promise.all([
    db.member.findMany({
      where: { teamId: team.id },
      include: { user: { select: { name: true } } },
      orderBy: { createdAt: 'asc' },
    }),
    db.project.count({ where: { ownerId: team.id } }),
    db.dataset.count({ where: { ownerId: team.id } }),
    storageOf(deps, team.id),
  ]);
  const mine = members.find(({ userId }) => userId === caller.userId);
  return {
    name: team.name,
    role: mine ? teamRoleSchema.parse(mine.role) : null,
    createdAt: team.createdAt.toISOString(),
    members: members.map(viewMember),
    projects,
    datasets,
    storage,
    limits: { jobs: team.maxJobs, gpus: team.maxGpus },
  };
}

export const viewMember = (member: { role: string; createdAt: Date; user: { name: string } }) => ({
  user: member.user.name,
  role: teamRoleSchema.parse(member.role),
  since: member.createdAt.toISOString(),
});

/**
 * Gives its name back at once; its row stays until the bytes that were stored for it are freed (forgetDeletedTeams).
 * @throws AppError conflict while it owns anything
 */
export async function deleteTeam({ db }: Deps, team: TeamRow): Promise<void> {
  const [projects, datasets] = await Promise.all([
    db.project.count({ where: { ownerId: team.id } }),
    db.dataset.count({ where: { ownerId: team.id } }),
  ]);
  if (projects + datasets > 0) {
    throw new AppError('conflict', `${team.name} owns ${projects} projects and ${datasets} datasets`, {
      hint: 'Delete them first.',
    });
  }
  await db.$transaction([
    db.member.deleteMany({ where: { teamId: team.id } }),
    db.invitation.updateMany({
      where: { teamId: team.id, acceptedAt: null, revokedAt: null },
      data: { revokedAt: new Date() },
    }),
    // No name that may be given begins so.
    db.user.update({ where: { id: team.id }, data: { kind: 'deleted', name: `~${team.id}` } }),
  ]);
}

/** Forgets deleted teams for which nothing is stored any more. */
export async function forgetDeletedTeams({ db }: Deps): Promise<void> {
  await db.user.deleteMany({
    where: {
      kind: 'deleted',
      packs: { none: {} },
      snapshots: { none: {} },
      projects: { none: {} },
      datasets: { none: {} },
    },
  });
}
