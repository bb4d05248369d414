import {
  AppError,
  type Invitation,
  type invitationRoutes,
  roleSchema,
  teamRoleSchema,
} from '@mycloud/shared';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import { newestFirst } from '../http/page.js';
import { hashPassword } from '../http/passwords.js';
import type { UserPrincipal } from '../http/principal.js';
import { hashToken, newSecret } from '../http/tokens.js';
import { requireFreeName } from '../users/name.js';

/** Taken and ended ones are listed, and kept, for this long. */
export const invitationDays = 180;

interface InvitationRow {
  id: string;
  role: string;
  team: { name: string } | null;
  teamRole: string | null;
  note: string;
  invitedBy: string;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  acceptedAt: Date | null;
  acceptedBy: string | null;
}
const withTeam = { team: { select: { name: true } } } as const;

function stateOf(row: Pick<InvitationRow, 'acceptedAt' | 'revokedAt' | 'expiresAt'>): Invitation['state'] {
  if (row.acceptedAt) return 'accepted';
  if (row.revokedAt) return 'revoked';
  return row.expiresAt < new Date() ? 'expired' : 'open';
}

const offerOf = ({ role, team, teamRole }: Pick<InvitationRow, 'role' | 'team' | 'teamRole'>) => ({
  role: roleSchema.parse(role),
  team: team?.name ?? null,
  teamRole: teamRole === null ? null : teamRoleSchema.parse(teamRole),
});

const view = (row: InvitationRow): Invitation => ({
  id: row.id,
  ...offerOf(row),
  note: row.note,
  invitedBy: row.invitedBy,
  state: stateOf(row),
  acceptedBy: row.acceptedBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
});

export async function listInvitations({ db }: Deps): Promise<Invitation[]> {
  const rows = await db.invitation.findMany({ include: withTeam, orderBy: newestFirst, take: 500 });
  return rows.map(view);
}

/** @throws AppError not_found for a team that isn't there */
export async function createInvitation(
  { db }: Deps,
  caller: UserPrincipal,
  { role, team: teamName, teamRole, note, expiresInDays }: z.output<typeof invitationRoutes.create.body>,
) {
  const team =
    teamName === undefined ? null : await db.user.findUnique({ where: { name: teamName, kind: 'team' } });
  if (teamName !== undefined && !team) {
    throw new AppError('not_found', `there is no team ${teamName}`, {
      hint: `Make it first: mycloud admin team create ${teamName}`,
    });
  }
  const secret = newSecret();
  const row = await db.invitation.create({
    data: {
      hash: hashToken(secret),
      role,
      teamId: team?.id ?? null,
      teamRole: team ? teamRole : null,
      note,
      invitedBy: caller.name,
      expiresAt: new Date(Date.now() + expiresInDays * 86_400_000),
    },
    include: withTeam,
  });
  return { ...view(row), secret, path: `/invite#${secret}` };
}

/** @throws AppError not_found, conflict for one that was taken */
export async function revokeInvitation({ db }: Deps, id: string): Promise<void> {
  const { count } = await db.invitation.updateMany({
    where: { id, acceptedAt: null, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  if (count > 0) return;
  const row = await db.invitation.findUnique({ where: { id } });
  if (!row) throw new AppError('not_found', 'there is no such invitation');
  if (row.acceptedBy) {
    throw new AppError('conflict', `${row.acceptedBy} has taken this invitation`, {
      hint: `To keep him out: mycloud admin user disable ${row.acceptedBy}`,
    });
  }
}

/** @throws AppError not_found for one that was never made, conflict for one that is over: whoever has the secret may know which */
export async function lookAtInvitation({ db }: Deps, secret: string) {
  const row = await db.invitation.findUnique({ where: { hash: hashToken(secret) }, include: withTeam });
  if (!row) {
    throw new AppError('not_found', 'there is no such invitation', {
      hint: 'Was the link copied to its end? Ask who sent it for a new one.',
    });
  }
  const state = stateOf(row);
  if (state !== 'open') {
    const how = { accepted: 'was used already', revoked: 'was taken back', expired: 'has expired' }[state];
    throw new AppError('conflict', `this invitation ${how}`, { hint: 'Ask who sent it for a new one.' });
  }
  return { ...offerOf(row), invitedBy: row.invitedBy, expiresAt: row.expiresAt.toISOString() };
}

/** Makes the user it was for; of two who take it at once, one does. @throws AppError not_found, conflict */
export async function acceptInvitation(
  deps: Deps,
  { secret, name, password }: { secret: string; name: string; password: string },
) {
  await lookAtInvitation(deps, secret);
  await requireFreeName(deps, name);
  const passwordHash = await hashPassword(password);
  const hash = hashToken(secret);
  return deps.db.$transaction(async (tx) => {
    const open = { hash, acceptedAt: null, revokedAt: null, expiresAt: { gt: new Date() } };
    const taken = { acceptedAt: new Date(), acceptedBy: name };
    const { count } = await tx.invitation.updateMany({ where: open, data: taken });
    if (count === 0) throw new AppError('conflict', 'this invitation was used or taken back meanwhile');
    const { role, teamId, teamRole } = await tx.invitation.findUniqueOrThrow({ where: { hash } });
    const memberships = teamId && teamRole ? { create: { teamId, role: teamRole } } : undefined;
    return tx.user.create({ data: { name, role, passwordHash, memberships } });
  });
}
