import { parseNotifyAddress } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { type Sql, transaction } from '../jobs/sql.js';
import { send, type TakenDelivery, type Tried } from './send.js';

/** So many are under way at once in one api. */
const atOnce = 16;
/** Longer than any try takes: an api that died over it left it to the next after this. */
const takenSeconds = 60;
const longestWaitSeconds = 4 * 3600;

/**
 * Sends what the outbox holds, woken by the hub and by a clock. Any number of apis may run it: each takes rows that no other has
 * (SKIP LOCKED). A delivery gets through at least once; its id tells a repeat.
 */
export function startDeliveries(deps: Deps): { close(): Promise<void> } {
  let closed = false;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const run = async () => {
    do {
      woken = false;
      try {
        while (!closed && (await deliverDue(deps)) === atOnce);
      } catch (error) {
        deps.log.error({ err: error }, 'notifications could not be sent; they will be tried again');
      }
    } while (woken && !closed);
  };
  const wake = () => {
    woken = true;
    if (closed || running) return;
    clearTimeout(timer);
    running = run().finally(() => {
      running = undefined;
      if (!closed) timer = setTimeout(wake, deps.config.sweepSeconds * 1000);
    });
  };
  const leave = deps.hub.subscribe((signal) => {
    if (signal.type === 'delivery') wake();
  });
  const leaveGap = deps.hub.onGap(wake);
  wake();
  return {
    async close() {
      closed = true;
      leave();
      leaveGap();
      clearTimeout(timer);
      await running;
    },
  };
}

/** @returns how many were tried */
async function deliverDue(deps: Deps): Promise<number> {
  const { rows } = await deps.pool.query<TakenDelivery>(
    `UPDATE "Delivery" d SET tries = tries + 1, "nextTryAt" = now() + make_interval(secs => $2) FROM (
       SELECT id FROM "Delivery" WHERE state = 'pending' AND "nextTryAt" <= now()
       ORDER BY "nextTryAt" LIMIT $1 FOR UPDATE SKIP LOCKED) due
     WHERE d.id = due.id
     RETURNING d.id, d."userId", d."channelId", d."jobId", d.address, d.event, d.body, d.tries, d."createdAt"`,
    [atOnce, takenSeconds],
  );
  await Promise.all(
    rows.map(async (delivery) => {
      const tried = await send(deps, delivery);
      await note(deps, delivery, tried);
    }),
  );
  return rows.length;
}

async function note(deps: Deps, delivery: TakenDelivery, tried: Tried): Promise<void> {
  const { giveUpSeconds, retrySeconds } = deps.config.notify;
  const old = Date.now() - delivery.createdAt.getTime() > giveUpSeconds * 1000;
  // A test says at once what is wrong.
  const over = !tried.ok && (tried.gone || old || delivery.event === 'test');
  const wait = Math.min(retrySeconds * 3 ** (delivery.tries - 1), longestWaitSeconds);
  const outcome = tried.ok ? 'delivered' : over ? 'failed' : 'pending';
  const kind = parseNotifyAddress(delivery.address)?.kind ?? 'webhook';
  deps.metrics.deliveries.inc({ kind, outcome: outcome === 'pending' ? 'retried' : outcome });
  deps.log.info(
    {
      deliveryId: delivery.id,
      jobId: delivery.jobId,
      kind,
      tries: delivery.tries,
      outcome,
      answer: tried.answer,
    },
    'notification tried',
  );
  await transaction(deps.pool, async (sql) => {
    await sql.query(
      `UPDATE "Delivery" SET state = $2, answer = $3, "nextTryAt" = now() + make_interval(secs => $4),
         "endedAt" = CASE WHEN $2 = 'pending' THEN NULL ELSE now() END
       WHERE id = $1 AND state = 'pending'`,
      // A tenth more or less, so that what failed together doesn't come back together.
      [delivery.id, outcome, tried.answer.slice(0, 1000), wait * (0.9 + 0.2 * Math.random())],
    );
    if (delivery.channelId) await noteOnChannel(sql, delivery.channelId, tried, over, giveUpSeconds);
  });
}

/** An address that has failed for long, or says that it is gone, is sent nothing more until its user says so. */
async function noteOnChannel(
  sql: Sql,
  channelId: string,
  tried: Tried,
  over: boolean,
  giveUpSeconds: number,
): Promise<void> {
  if (tried.ok) {
    await sql.query(
      'UPDATE "NotificationChannel" SET "failingSince" = NULL WHERE id = $1 AND "failingSince" IS NOT NULL',
      [channelId],
    );
    return;
  }
  await sql.query(
    'UPDATE "NotificationChannel" SET "failingSince" = COALESCE("failingSince", now()) WHERE id = $1',
    [channelId],
  );
  if (!over) return;
  const why = tried.gone ? 'it says that it is gone' : 'nothing got through for too long';
  const { rowCount } = await sql.query(
    `UPDATE "NotificationChannel" SET "disabledAt" = now(), "disabledReason" = $2
     WHERE id = $1 AND "disabledAt" IS NULL AND ($3 OR "failingSince" <= now() - make_interval(secs => $4))`,
    [channelId, `${why}: ${tried.answer.slice(0, 500)}`, tried.gone, giveUpSeconds],
  );
  if (rowCount === 0) return;
  await sql.query(
    `UPDATE "Delivery" SET state = 'failed', "endedAt" = now(), answer = COALESCE(answer, 'its channel was disabled')
     WHERE "channelId" = $1 AND state = 'pending'`,
    [channelId],
  );
}
