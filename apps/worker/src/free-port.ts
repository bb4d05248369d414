import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port of this machine's loopback that nobody listens on now; whoever is told it takes it a moment later. */
export async function freeLoopbackPort(): Promise<{ host: string; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host: '127.0.0.1', port };
}
