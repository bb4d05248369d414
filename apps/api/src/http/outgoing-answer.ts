import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';

const maxBytes = 64 * 1024;

/** What a server of somebody else's answered. */
export interface IncomingAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its first 64 KiB, as UTF-8. */
  body: string;
}

/** Sends a request and reads its answer, which may be as long as its server likes, and of which 64 KiB are taken. */
export function readAnswer(request: ClientRequest, body: string | undefined): Promise<IncomingAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      const done = () => {
        const text = Buffer.concat(parts).subarray(0, maxBytes).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        request.destroy();
      };
      response.on('error', reject);
      response.on('end', done);
      response.on('data', (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (bytes >= maxBytes) done();
      });
    });
    request.end(body);
  });
}
