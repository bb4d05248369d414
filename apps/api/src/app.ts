import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { AppError, operatingRoutes, type RouteContract, version } from '@mycloud/shared';
import { isMetricsToken } from '@mycloud/telemetry';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Deps } from './deps.js';
import { floydRoutes } from './floyd/routes.js';
import { openAuthenticator } from './http/authenticate.js';
import { answerError } from './http/errors.js';
import { countAnswers } from './http/in-flight.js';
import { openLogins } from './http/logins.js';
import { openRequestContext, requestIdOf } from './http/request-context.js';
import { authorize } from './http/route.js';
import { openSessions } from './http/sessions.js';
import { sharedTries } from './http/tries.js';
import { openPeers } from './peers/peers.js';
import { datasetRoutes } from './routes/datasets.js';
import { execRoutes } from './routes/exec.js';
import { healthRoutes } from './routes/health.js';
import { jobRoutes } from './routes/jobs.js';
import { logRoutes } from './routes/logs.js';
import { machineRoutes } from './routes/machines.js';
import { metricRoutes } from './routes/metrics.js';
import { modeRoutes } from './routes/modes.js';
import { notificationRoutes } from './routes/notifications.js';
import { pageRoutes } from './routes/page.js';
import { projectRoutes } from './routes/projects.js';
import { scheduleRoutes } from './routes/schedules.js';
import { sessionRoutes } from './routes/sessions.js';
import { snapshotRoutes } from './routes/snapshots.js';
import { storageRoutes } from './routes/storage.js';
import { storeRoutes } from './routes/store.js';
import { summaryRoutes } from './routes/summaries.js';
import { tensorboardRoutes } from './routes/tensorboards.js';
import { tokenRoutes } from './routes/tokens.js';
import { userRoutes } from './routes/users.js';
import { workerRoutes } from './routes/worker.js';
import { openSavedOutputs } from './tensorboard/saved-outputs.js';
import { Tunnels } from './tunnels/tunnels.js';
import { openUpgrades } from './tunnels/upgrades.js';

const maxJsonBytes = 32 * 1024 * 1024;

/** The api, complete but not listening. Every route carries its contract; who may call it is checked before its body is read. */
export async function buildApi(deps: Deps): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxJsonBytes,
    forceCloseConnections: true,
    // A HEAD of an event stream or of a waiting claim would open one.
    exposeHeadRoutes: false,
    requestTimeout: 0,
    // Behind a proxy the address that asks, by which guesses are counted, is the one it tells.
    trustProxy: deps.config.trustedProxies,
    requestIdHeader: false,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
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
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mycloud',
        version,
        description: 'Deep-learning jobs on your own machines.',
        license: { name: 'MIT' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (given) => {
      const contract = given.route.config?.contract;
      const transformed = withExample(
        jsonSchemaTransform(given as Parameters<typeof jsonSchemaTransform>[0]),
        contract?.example,
      );
      const auth = contract?.auth;
      if (!auth || auth === 'none' || auth === 'signed') return transformed;
      return { ...transformed, schema: { ...transformed.schema, security: [{ token: [] }] } };
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });

  // From here on a route without a contract, which nobody could be kept from, is a mistake.
  app.addHook('onRoute', (route) => {
    if (!route.config?.contract) throw new Error(`${String(route.method)} ${route.url} has no contract`);
  });
  healthRoutes(app, deps);
  const checkLogin = openLogins(app, deps);
  userRoutes(app, deps, checkLogin);
  sessionRoutes(app, sessions, checkLogin);
  tokenRoutes(app, deps);
  projectRoutes(app, deps);
  notificationRoutes(app, deps);
  scheduleRoutes(app, deps);
  datasetRoutes(app, deps);
  await app.register(async (raw) => snapshotRoutes(raw, deps));
  await app.register(async (raw) => storeRoutes(raw, deps));
  storageRoutes(app, deps);
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

type Described = ReturnType<typeof jsonSchemaTransform>;

/** A contract's example where the description of a route has room for one: beside each parameter, and on the body. */
function withExample(described: Described, example: RouteContract['example']): Described {
  const { body, ...parts } = example ?? {};
  const schema = { ...described.schema } as Record<string, unknown>;
  if (body) schema.body = { ...(schema.body as object), example: body };
  for (const [part, key] of [
    ['params', 'params'],
    ['query', 'querystring'],
  ] as const) {
    const known = schema[key] as { properties?: Record<string, object> } | undefined;
    if (!parts[part] || !known?.properties) continue;
    const shown = Object.entries(parts[part]).map(([name, value]) => [
      name,
      { ...known.properties?.[name], example: value },
    ]);
    schema[key] = { ...known, properties: { ...known.properties, ...Object.fromEntries(shown) } };
  }
  return { ...described, schema };
}
