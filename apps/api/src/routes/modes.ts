import { AppError, jobRoutes as contract, jobName, type RouteContract } from '@mycloud/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { noteAudit } from '../audit/record.js';
import type { Deps } from '../deps.js';
import type { Authenticator } from '../http/authenticate.js';
import { openPasses } from '../http/passes.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import type { Sessions } from '../http/sessions.js';
import { findJob } from '../jobs/access.js';
import { one } from '../jobs/sql.js';
import { parseServedAddress, type ServedAddress, servedPath } from '../modes/address.js';
import { forward } from '../modes/forward.js';
import { type ServedJob, type ServedMode, servedJobs } from '../modes/jobs.js';
import { jupyterWay } from '../modes/jupyter.js';
import { answerNotice } from '../modes/notice.js';
import { isNotListening, Ports } from '../modes/ports.js';
import { readable, sandboxOrigin } from '../modes/sandbox.js';
import { serveWay } from '../modes/serve.js';
import { standingOf } from '../modes/state.js';
import type { Tunnels } from '../tunnels/tunnels.js';
import type { Upgrades } from '../tunnels/upgrades.js';

interface Doors {
  tunnels: Tunnels;
  upgrades: Upgrades;
  sessions: Sessions;
  authenticator: Authenticator;
}

/** Says of a key whether it is the first time in a day; of what was longest ago, in a crowd, that it is. */
function firstOfDay() {
  const seen = new Map<string, number>();
  return {
    first(key: string): boolean {
      const now = Date.now();
      const isFirst = now - (seen.get(key) ?? 0) > 86_400_000;
      if (isFirst) {
        if (seen.size >= 10_000) seen.clear();
        seen.set(key, now);
      }
      return isFirst;
    },
  };
}

const nouns = { jupyter: 'a Jupyter', serve: 'a server' } as const;

/** What jobs of the modes jupyter and serve are reached by: their links, and everything below these. */
export function modeRoutes(app: FastifyInstance, deps: Deps, doors: Doors): void {
  const ports = new Ports(doors.tunnels);
  const opened = firstOfDay();
  app.addHook('preClose', async () => ports.close());
  const passesOf = (mode: ServedMode) =>
    openPasses(deps, {
      name: mode,
      noun: nouns[mode],
      find: (login, ids) => servedJobs(deps, mode, login, ids),
    });
  const passes = { jupyter: passesOf('jupyter'), serve: passesOf('serve') };

  serve(app, contract.link, async ({ params, caller, request }) => {
    const { id } = await findJob(deps, caller, params, 'read');
    const mode = await modeOf(deps, id);
    const [job] = await servedJobs(deps, mode, caller, [id]);
    if (!job) throw new AppError('not_found', 'this job was deleted');
    const standing = await standingOf(deps, id);
    const path = `${servedPath({ ...params, mode }, await passes[mode].make(caller, [job]))}/`;
    if (standing.state !== 'runs') {
      noteAudit(request, { skip: true });
      return { ...standing, path: standing.state === 'ended' ? null : path };
    }
    const listens = await ports.listens(standing.held);
    // It is asked again and again, by who waits until it answers and by an open page: one entry a person, job and day.
    if (!listens || !opened.first(`${caller.userId} ${id}`)) noteAudit(request, { skip: true });
    const message = listens ? null : 'it runs, and nothing answers on its port yet';
    return { state: listens ? ('ready' as const) : ('starting' as const), message, path };
  });

  /** The job, where the address or the request itself says who asks; a person's page is sent to an address that does. */
  async function jobAt(
    at: ServedAddress,
    request: FastifyRequest,
  ): Promise<{ job: ServedJob } | { to: string }> {
    if (at.pass !== null) {
      const [job] = await passes[at.mode].take(at.pass);
      if (job && jobName(job) === jobName(at)) return { job };
      throw new AppError('forbidden', 'this address was made for another job');
    }
    const { authorization } = request.headers;
    const caller = authorization
      ? await doors.authenticator.authenticate(authorization)
      : await doors.sessions.find(request);
    if (caller?.kind !== 'user') {
      if (!authorization && /text\/html/.test(request.headers.accept ?? ''))
        return { to: loginPath(request) };
      throw new AppError('unauthenticated', 'this needs a token, a login or an address with a pass in it', {
        hint: 'Send `Authorization: Bearer TOKEN`, or use the link that `mycloud info JOB` prints.',
      });
    }
    const job = await namedJob(at, caller);
    if (authorization) return { job };
    return { to: servedPath(at, await passes[at.mode].make(caller, [job])) + at.rest };
  }

  async function namedJob(at: ServedAddress, caller: UserPrincipal): Promise<ServedJob> {
    const { id } = await findJob(deps, caller, at, 'read');
    const [job] = await servedJobs(deps, at.mode, caller, [id]);
    if (job) return job;
    throw new AppError('not_found', 'this job was deleted');
  }

  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const at = parseServedAddress(request.raw.url ?? '');
    if (!at) throw new AppError('not_found', 'there is no such job');
    if (isPreflight(request)) return answerPreflight(request, reply);
    const found = await jobAt(at, request);
    if ('to' in found) {
      return reply
        .header('cache-control', 'no-store')
        .header('referrer-policy', 'no-referrer')
        .redirect(found.to);
    }
    const { job } = found;
    const jobPath = `/${jobName(job)}`;
    const standing = await standingOf(deps, job.id);
    if (standing.state !== 'runs') {
      const ended = standing.state === 'ended';
      const title = ended
        ? `There is no ${at.mode === 'jupyter' ? 'Jupyter' : 'server'} any more`
        : 'Not ready yet';
      return answerNotice(request, reply, {
        status: ended ? 410 : 503,
        title,
        text: standing.message,
        jobPath,
      });
    }
    const way = at.mode === 'jupyter' ? jupyterWay(job, at) : serveWay(at);
    try {
      return await forward(
        { ports, upgrades: doors.upgrades },
        { ...way, held: standing.held },
        request,
        reply,
      );
    } catch (error) {
      if (!isNotListening(error)) throw error;
      const text = 'its command runs, and nothing answers on its port yet';
      return answerNotice(request, reply, { status: 503, title: 'Not ready yet', text, jobPath });
    }
  };

  void app.register(async (raw) => {
    // Bodies are handed on as they come.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const mode of ['jupyter', 'serve'] as const) {
      const url = `/:owner/projects/:project/:number/${mode}`;
      const config = { contract: served(`${url}/*`) };
      raw.route({ method: [...methods], url: `${url}/*`, config, schema: { hide: true }, handler });
      raw.get(url, { config, schema: { hide: true } }, (request, reply) => {
        const [path = '', query] = (request.raw.url ?? '').split('?');
        return reply.redirect(`${path}/${query === undefined ? '' : `?${query}`}`);
      });
    }
  });
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Who may is told by the address, the token or the cookie, which the handler looks at itself. */
const served = (path: string): RouteContract => ({
  method: 'GET',
  path,
  auth: 'signed',
  tag: 'jobs',
  summary: 'What a job of mode jupyter or serve answers',
});

async function modeOf(deps: Deps, jobId: string): Promise<ServedMode> {
  const row = await one<{ mode: ServedMode | 'command' }>(deps.pool, 'SELECT mode FROM "Job" WHERE id = $1', [
    jobId,
  ]);
  if (row && row.mode !== 'command') return row.mode;
  throw new AppError('bad_request', 'this job runs a command: there is nothing to open', {
    hint: 'Start one by `mycloud run --mode jupyter` or `--mode serve`.',
  });
}

const loginPath = ({ raw }: FastifyRequest): string => `/login?to=${encodeURIComponent(raw.url ?? '/')}`;

/** Asked by a browser in the name of a sandboxed page, which knows the address; what the job itself would say doesn't matter. */
const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' &&
  headers.origin === sandboxOrigin &&
  headers['access-control-request-method'] !== undefined;

function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .headers(readable)
    .header('access-control-allow-methods', methods.join(', '))
    .header('access-control-allow-headers', headers['access-control-request-headers'] ?? '')
    .header('access-control-max-age', '600')
    .status(204)
    .send();
}
