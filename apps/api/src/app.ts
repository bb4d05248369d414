import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import swaggerUi from '@fastify/swagger-ui';
import { AppError, operatingRoutes } from '@mycloud/shared';
import { isMetricsToken } from '@mycloud/telemetry';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { openAudit } from './audit/record.js';
import type { Deps } from './deps.js';
import { floydRoutes } from './floyd/routes.js';
import { openAuthenticator } from './http/authenticate.js';
import { answerError } from './http/errors.js';
import { countAnswers } from './http/in-flight.js';
import { openLogins } from './http/logins.js';
import { registerOpenApi } from './http/openapi.js';
import { openRequestContext, requestIdOf } from './http/request-context.js';
import { authorize, type ServedRoute } from './http/route.js';
import { openSessions } from './http/sessions.js';
import { answerBrokenRequest, endSlowBodies, patience } from './http/slow-clients.js';
import { sharedTries } from './http/tries.js';
import { openPeers } from './peers/peers.js';
import { auditRoutes } from './routes/audit.js';
import { datasetRoutes } from './routes/datasets.js';
import { execRoutes } from './routes/exec.js';
import { healthRoutes } from './routes/health.js';
import { invitationRoutes } from './routes/invitations.js';
import { jobRoutes } from './routes/jobs.js';
import { logRoutes } from './routes/logs.js';
import { machineRoutes } from './routes/machines.js';
import { metricRoutes } from './routes/metrics.js';
import { modeRoutes } from './routes/modes.js';
import { notificationRoutes } from './routes/notifications.js';
import { pageRoutes } from './routes/page.js';
import { projectRoutes } from './routes/projects.js';
import { retentionRoutes } from './routes/retention.js';
import { scheduleRoutes } from './routes/schedules.js';
import { sessionRoutes } from './routes/sessions.js';
import { snapshotRoutes } from './routes/snapshots.js';
import { storageRoutes } from './routes/storage.js';
import { storeRoutes } from './routes/store.js';
import { summaryRoutes } from './routes/summaries.js';
import { teamRoutes } from './routes/teams.js';
import { tensorboardRoutes } from './routes/tensorboards.js';
import { tokenRoutes } from './routes/tokens.js';
import { userRoutes } from './routes/users.js';
import { workerRoutes } from './routes/worker.js';
import { openSavedOutputs } from './tensorboard/saved-outputs.js';
import { Tunnels } from './tunnels/tunnels.js';
import { openUpgrades } from './tunnels/upgrades.js';

const maxJsonBytes = 32 * 1024 * 1024;

/** The api, complete but not listening. Every route carries its contract; who may call it is checked before its body is read. */
export async function buildApi(deps: Deps, { headersMs, ...slow } = patience): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxJsonBytes,
    forceCloseConnections: true,
    // A HEAD of an event stream or of a waiting claim would open one.
    exposeHeadRoutes: false,
    // Uploads take their time; endSlowBodies looks whether they move.
    requestTimeout: 0,
    // Behind a proxy the address that asks, by which guesses are counted, is the one it tells.
    trustProxy: deps.config.trustedProxies,
    requestIdHeader: false,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    http: { headersTimeout: headersMs, connectionsCheckingInterval: Math.min(headersMs, slow.everyMs) },
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { maxParamLength: 2_000 },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    answerError(
      new AppError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`),
      request,
      reply,
    ),
  );
  app.decorateRequest('principal', undefined);
  openRequestContext(app, deps);
  const answersSent = countAnswers(app);
  const served: ServedRoute[] = [];
  app.decorate('served', served);
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) served.push({ method: one, path: url, contract: config?.contract });
  });
  endSlowBodies(app, slow);

  openAudit(app, deps);
  const authenticator = openAuthenticator(deps);
  const sessions = openSessions(deps);
  await app.register(cookie);
  app.addHook('onRequest', async (request) => {
    const { contract } = request.routeOptions.config;
    if (!contract || contract.auth === 'none' || contract.auth === 'signed') return;
    const { authorization } = request.headers;
    if (contract === operatingRoutes.metrics && isMetricsToken(authorization, deps.config.metricsToken))
      return;
    if (authorization)
      request.principal = await authenticator.authenticate(authorization, contract.wire === 'floyd');
    else if (!contract.wire) request.principal = await sessions.find(request);
    authorize(contract, request.principal);
  });

  await app.register(rateLimit, { global: false, store: sharedTries(deps.pool) });
  await registerOpenApi(app);
  await app.register(swaggerUi, { routePrefix: '/docs' });

  // From here on a route without a contract, which nobody could be kept from, is a mistake.
  app.addHook('onRoute', (route) => {
    if (!route.config?.contract) throw new Error(`${String(route.method)} ${route.url} has no contract`);
  });
  healthRoutes(app, deps);
  const checkLogin = openLogins(app, deps);
  userRoutes(app, deps, checkLogin);
  teamRoutes(app, deps);
  invitationRoutes(app, deps);
  sessionRoutes(app, sessions, checkLogin);
  tokenRoutes(app, deps);
  projectRoutes(app, deps);
  notificationRoutes(app, deps);
  scheduleRoutes(app, deps);
  datasetRoutes(app, deps);
  await app.register(async (raw) => snapshotRoutes(raw, deps));
  await app.register(async (raw) => storeRoutes(raw, deps));
  storageRoutes(app, deps);
  auditRoutes(app, deps);
  retentionRoutes(app, deps);
  machineRoutes(app, deps);
  jobRoutes(app, deps);
  logRoutes(app, deps);
  metricRoutes(app, deps);
  const outputs = openSavedOutputs(deps);
  tensorboardRoutes(app, deps, outputs, openPeers(app, deps));
  summaryRoutes(app, deps, outputs);
  const tunnels = new Tunnels(deps);
  const upgrades = openUpgrades(app, deps.hub);
  execRoutes(app, deps, tunnels, upgrades);
  modeRoutes(app, deps, { tunnels, upgrades, sessions, authenticator });
  workerRoutes(app, deps, tunnels, upgrades);
  await app.register(async (wire) => floydRoutes(wire, deps));
  await pageRoutes(app, deps);
  // Hooks run in the order they were added: streams and waiting claims have ended by then.
  app.addHook('preClose', answersSent);
  await app.ready();
  return app;
}
