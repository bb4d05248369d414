import { tensorboardRoutes as contract, type RouteContract, type Tensorboard } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { openPasses, type Passes } from '../http/passes.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import type { Peers } from '../peers/peers.js';
import { Boards, keyOf } from '../tensorboard/boards.js';
import { jobsById, jobsNamed, type ShownJob } from '../tensorboard/jobs.js';
import { forward, guard, pageScript, pageScriptName } from '../tensorboard/proxy.js';
import type { SavedOutputs } from '../tensorboard/saved-outputs.js';

const base = '/v1/tensorboards';
/** What TensorBoard's page asks by POST is lists of tags and runs. */
const maxBody = 4 * 1024 * 1024;

export function tensorboardRoutes(
  app: FastifyInstance,
  deps: Deps,
  outputs: SavedOutputs,
  peers: Peers,
): void {
  const boards = new Boards(deps, outputs);
  const passes = openPasses(deps, {
    name: 'tensorboard',
    noun: 'a TensorBoard',
    find: (login, ids) => jobsById(deps, login, ids),
  });
  app.addHook('onClose', () => boards.close());

  const view = async (
    caller: UserPrincipal,
    jobs: ShownJob[],
    now: Omit<Tensorboard, 'path'>,
  ): Promise<Tensorboard> => {
    const serves = now.state === 'ready' || now.state === 'starting' || now.state === 'off';
    return { ...now, path: serves ? `${base}/${await passes.make(caller, jobs)}/` : null };
  };

  // holds: a TensorBoard runs in one api, whichever is asked for it
  serve(app, contract.get, async ({ query, caller, request, reply }) => {
    const jobs = await jobsNamed(deps, caller, query.jobs);
    if (await peers.handOver(keyOf(jobs), request, reply)) return reply as never;
    return view(caller, jobs, await boards.state(jobs));
  });

  serve(app, contract.start, async ({ body, caller, request, reply }) => {
    const jobs = await jobsNamed(deps, caller, body.jobs);
    if (await peers.handOver(keyOf(jobs), request, reply)) return reply as never;
    return view(caller, jobs, await boards.start(jobs));
  });

  void app.register(async (raw) => proxyRoutes(raw, boards, passes, peers));
}

/** TensorBoard's own addresses, below a pass. What is sent there is handed on as it is. */
function proxyRoutes(app: FastifyInstance, boards: Boards, passes: Passes<ShownJob>, peers: Peers): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBody }, (_request, body, done) =>
    done(null, body),
  );
  for (const method of ['GET', 'POST', 'OPTIONS'] as const) {
    app.route<{ Params: { pass: string } }>({
      method,
      url: `${base}/:pass/*`,
      config: { contract: proxied },
      schema: { hide: true },
      handler: async (request, reply) => {
        const jobs = await passes.take(request.params.pass);
        const rest = (request.raw.url ?? '').slice(base.length + 1 + request.params.pass.length);
        if (method === 'OPTIONS') {
          guard(reply, false);
          return reply
            .header('access-control-allow-methods', 'GET, POST')
            .header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '')
            .header('access-control-max-age', '600')
            .status(204)
            .send();
        }
        if (rest === `/${pageScriptName}`) {
          guard(reply, false);
          return reply.type('text/javascript').send(pageScript);
        }
        if (await peers.handOver(keyOf(jobs), request, reply)) return reply;
        // A person who opens it, or opens it again, starts what has ended; what an open page asks by itself doesn't.
        const opened = method === 'GET' && /^\/(\?|$)/.test(rest);
        return forward(await boards.reach(jobs, opened), rest, request, reply);
      },
    });
  }
}

const proxied: RouteContract = {
  method: 'GET',
  path: `${base}/:pass/*`,
  auth: 'signed',
  tag: 'tensorboards',
  summary: "TensorBoard's own page and what it asks for",
};
