import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Serves a folder to this machine alone. @param port 0 takes any free one @returns its address */
export async function serveFolder(folder: string, port: number): Promise<string> {
  const server = createServer(async (request, response) => {
    const asked = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    // Joined to the root first, so that no `..` leads out of the folder.
    const file = path.join(folder, path.posix.join('/', asked === '/' ? 'index.html' : asked));
    try {
      const bytes = await readFile(file);
      response
        .writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' })
        .end(bytes);
    } catch (error) {
      response
        .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
        .end(`${(error as Error).message}\n`);
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
