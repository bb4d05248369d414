import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AppError, floydRoutes } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';

/** Where `floyd-local`, which comes with floyd-cli, looks for its server: that can't be told otherwise. */
const host = '127.0.0.1';
const apiPort = 8080;
const tusPort = 1080;

/**
 * Answers at these ports too; an upload is begun at the root of the second. @returns ends that
 * @throws AppError conflict for a port that is taken
 */
export async function listenAsFloydLocal(app: FastifyInstance): Promise<() => Promise<void>> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.socket.localPort === tusPort && request.url === '/') request.url = floydRoutes.tusCreate.path;
    app.routing(request, response);
  };
  const servers = [apiPort, tusPort].map((port) => ({ port, server: createServer(answer) }));
  const close = async () => {
    for (const { server } of servers) {
      server.close();
      server.closeAllConnections();
    }
  };
  try {
    for (const { port, server } of servers) {
      server.listen(port, host);
      await once(server, 'listening');
    }
  } catch (cause) {
    await close();
    throw new AppError('conflict', `floyd-local's ports ${apiPort} and ${tusPort} are not both free here`, {
      cause,
      hint: 'End the program that has one of them, or start without --floyd-local (docs/floyd-cli.md has another way).',
    });
  }
  return close;
}
