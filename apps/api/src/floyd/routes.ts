import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { dataRoutes } from './data.js';
import { environmentRoutes } from './env.js';
import { answerFloydError } from './errors.js';
import { experimentRoutes } from './experiments.js';
import { moduleRoutes } from './modules.js';
import { resourceRoutes } from './resources.js';
import { tusRoutes } from './tus.js';
import { userRoutes } from './user.js';

/** What floyd-cli 0.11.17 asks of FloydHub, answered by the services that our own routes use (docs/floyd-cli.md). */
export async function floydRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  app.setErrorHandler(answerFloydError);
  // `run` sends its JSON without saying that it is.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
    done(null, readBody(String(body))),
  );
  await app.register(multipart);
  userRoutes(app);
  environmentRoutes(app, deps);
  experimentRoutes(app, deps);
  moduleRoutes(app, deps);
  dataRoutes(app, deps);
  resourceRoutes(app, deps);
  tusRoutes(app, deps);
}

/** What is no JSON is said by the check of the body. */
function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
