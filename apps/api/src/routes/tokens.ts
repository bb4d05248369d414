import { AppError, tokenRoutes as contract, type Token } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { noteAudit } from '../audit/record.js';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { hashToken, newToken } from '../http/tokens.js';

interface TokenRow {
  id: string;
  name: string;
  kind: string;
  last4: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

const view = ({ id, name, kind, last4, createdAt, expiresAt, lastUsedAt }: TokenRow): Token => ({
  id,
  name,
  kind: kind === 'worker' ? 'worker' : 'user',
  last4,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});

export function tokenRoutes(app: FastifyInstance, { db, hub }: Deps): void {
  serve(app, contract.list, async ({ caller }) => {
    const rows = await db.token.findMany({
      where: { userId: caller.userId, revokedAt: null },
      orderBy: { createdAt: 'desc' },
    });
    return { items: rows.map(view) };
  });

  serve(app, contract.create, async ({ body, caller }) => {
    if (body.kind === 'worker' && caller.role !== 'admin') {
      throw new AppError(
        'forbidden',
        'only an admin may make a token for workers: they run everybody’s jobs',
      );
    }
    const token = newToken(body.kind);
    const expiresAt = body.expiresInDays ? new Date(Date.now() + body.expiresInDays * 86_400_000) : null;
    const row = await db.token.create({
      data: {
        userId: caller.userId,
        kind: body.kind,
        name: body.name,
        hash: hashToken(token),
        last4: token.slice(-4),
        expiresAt,
      },
    });
    return { ...view(row), token };
  });

  serve(app, contract.revoke, async ({ params, caller, request }) => {
    const mine = caller.role === 'admin' ? { id: params.id } : { id: params.id, userId: caller.userId };
    const { count } = await db.token.updateMany({
      where: { ...mine, revokedAt: null },
      data: { revokedAt: new Date() },
    });
    if (count === 0) throw new AppError('not_found', 'there is no such token of yours');
    await hub.publish({ type: 'login_over', loginId: params.id });
    const revoked = await db.token.findUnique({ where: { id: params.id }, include: { user: true } });
    if (revoked) noteAudit(request, { target: `${revoked.name} of ${revoked.user.name}` });
  });
}
