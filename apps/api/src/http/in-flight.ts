import type { FastifyInstance } from 'fastify';

/** Requests under way when the api closes may take this long, less than the ten seconds that Fastify gives a hook; then they are cut. */
const longestMs = 8_000;

/**
 * Has the closing of an app wait for the answers under way. Streams and connections that a route took over end by themselves
 * when it closes, and a waiting claim is answered at once.
 */
export function waitForAnswers(app: FastifyInstance): void {
  let underWay = 0;
  let idle: (() => void) | undefined;
  app.addHook('onRequest', ({ raw }, reply, done) => {
    // The answer of one that is taken over is never told to be done.
    if (raw.headers.upgrade !== undefined) return done();
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
