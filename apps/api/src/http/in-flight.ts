import type { FastifyInstance } from 'fastify';

/** Answers under way when the api closes may take this long; then their connections are cut. Less than Fastify gives a hook. */
const longestMs = 5000;

/**
 * Counts the answers under way.
 * @returns waits for them, for a while: to be called when the app closes, after what ends streams and waiting claims. Connections
 * that a route took over end by themselves
 */
export function countAnswers(app: FastifyInstance): () => Promise<void> {
  let underWay = 0;
  let idle: (() => void) | undefined;
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.headers.upgrade) {
      underWay += 1;
      reply.raw.once('close', () => {
        underWay -= 1;
        if (underWay === 0) idle?.();
      });
    }
    done();
  });
  return async () => {
    if (underWay === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      idle = resolve;
      timer = setTimeout(resolve, longestMs);
    });
    clearTimeout(timer);
  };
}
