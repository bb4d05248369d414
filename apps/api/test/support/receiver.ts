import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A server of somebody else's, which keeps what it was sent and answers as the test says. */
export async function startReceiver(answer: (path: string, nth: number) => number = () => 204) {
  const received = new Map<string, Received[]>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    let body = '';
    request.on('data', (bytes) => (body += bytes));
    request.on('end', () => {
      const all = received.get(path) ?? [];
      all.push({ headers: request.headers, body });
      received.set(path, all);
      response.writeHead(answer(path, all.length)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    at: (path: string): Received[] => received.get(path) ?? [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
