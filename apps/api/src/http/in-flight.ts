import type { FastifyInstance } from 'fastify';

/** Requests under way when the api closes may take this long; then their connections are cut. */
const longestMs = 10_000;

/**
 * Has the closing of an app wait for the answers under way. Streams and connections that a route took over end by themselves
 * when it closes, and a waiting claim is answered at once.
 */
export function waitForAnswers(app: FastifyInstance): void {
  let underWay = 0;
  let idle: (() => void) | undefined;
  app.addHook('onRequest', (_, reply, done) => {
    underWay += 1;
    reply.raw.once('close', () => {
      underWay -= 1;
      if (underWay === 0) idle?.();
    });
    done();
  });
  app.addHook('preClose', async () => {
    if (underWay === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      idle = resolve;
      timer = setTimeout(resolve, longestMs);
    });
    clearTimeout(timer);
  });
}
