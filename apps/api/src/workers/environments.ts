import { isDeepStrictEqual } from 'node:util';
import { AppError, type BuiltEnvironment, type BuiltOn, type Environment, nearest } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { aliveSince } from './view.js';

interface Found extends BuiltEnvironment {
  workerId: string;
  worker: string;
  alive: boolean;
}

/** The catalogue with where each environment is built, by what workers told last. */
export async function listEnvironments(deps: Deps) {
  const built = await allBuilt(deps);
  const { environments } = deps.catalogue;
  const names = new Set(environments.map(({ name }) => name));
  return {
    items: environments.map((one) => ({
      ...one,
      built: built.filter(({ environment }) => environment === one.name).map((found) => shown(found, one)),
    })),
    others: built.filter(({ environment }) => !names.has(environment)).map((found) => shown(found)),
  };
}

/**
 * Has workers remove what they built of an environment, or one thing by its id. A worker keeps what is in use then, whatever
 * it told last.
 * A worker that is away does it when it comes back.
 * @throws AppError not_found where nothing of that name is built
 */
export async function removeBuilt(deps: Deps, name: string, worker: string | undefined): Promise<BuiltOn[]> {
  const built = await allBuilt(deps);
  const found = built.filter(
    (one) => (one.environment === name || one.id === name) && (worker === undefined || one.worker === worker),
  );
  if (found.length === 0) {
    const near = nearest(name, [...new Set(built.map(({ environment }) => environment))]);
    throw new AppError('not_found', `no worker${worker ? ` ${worker}` : ''} has built ${name}`, {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `mycloud env list`.',
    });
  }
  for (const workerId of new Set(found.map((one) => one.workerId))) {
    const ids = found.filter((one) => one.workerId === workerId).map(({ id }) => id);
    await deps.pool.query(
      `UPDATE "Worker" SET unwanted = ARRAY(SELECT DISTINCT unnest(unwanted || $2::text[])) WHERE id = $1`,
      [workerId, ids],
    );
    await deps.hub.publish({ type: 'remove_environment', workerId });
  }
  const catalogued = deps.catalogue.environments.find((one) => one.name === name);
  return found.map((one) => shown(one, catalogued));
}

async function allBuilt(deps: Deps): Promise<Found[]> {
  const since = aliveSince(deps);
  const workers = await deps.db.worker.findMany({
    where: { removedAt: null },
    select: { id: true, name: true, lastSeenAt: true, environments: true },
    orderBy: { name: 'asc' },
  });
  return workers.flatMap(({ id, name, lastSeenAt, environments }) =>
    (environments as unknown as BuiltEnvironment[]).map((one) => ({
      ...one,
      workerId: id,
      worker: name,
      alive: lastSeenAt > since,
    })),
  );
}

function shown({ packages, workerId: _, ...found }: Found, catalogued?: Environment): BuiltOn {
  const { npm = [], requirements = [] } = catalogued ?? {};
  const extended = catalogued !== undefined && !isDeepStrictEqual(packages, [...npm, ...requirements]);
  return { ...found, extended };
}
