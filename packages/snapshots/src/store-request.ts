import http from 'node:http';
import https from 'node:https';
import type { SignedRequest } from '@mycloud/shared';

/** A store that sends nothing for so long is taken for dead. */
const idleMs = 60_000;
const agents = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: 32 }),
  'https:': new https.Agent({ keepAlive: true, maxSockets: 32 }),
};

export interface Sending {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Written one after the other; their lengths give Content-Length, without which S3 answers 411. */
  parts?: readonly Uint8Array[];
  /** Takes the body of an answer 206, which is cut off where it is longer. */
  into?: Buffer;
  /** Called as bytes are handed to the network. */
  onBytes?: (bytes: number) => void;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** What went wrong with a store. Threads throw it: what it is shows when it has been cloned, too. */
export class StoreFault extends Error {
  static readonly code = 'ESTORE';
  readonly code = StoreFault.code;
}

/**
 * Performs a signed request, of an absolute URL, at the store. `fetch` would do, but streams a body only as chunked
 * encoding (which S3 refuses) and can't say how far it is.
 *
 * @throws StoreFault when the store doesn't answer as it should; the message names the host, never the query, which
 *   holds the signature.
 */
export async function requestStore(signed: SignedRequest, sending: Sending = {}): Promise<Answer> {
  const url = new URL(signed.url);
  const secure = url.protocol === 'https:';
  const parts = sending.parts ?? [];
  const headers: Record<string, string | number> = { ...signed.headers, ...sending.headers };
  if (signed.method === 'PUT') headers['content-length'] = parts.reduce((sum, part) => sum + part.length, 0);
  return await new Promise<Answer>((resolve, reject) => {
    const fail = (cause: unknown): void => {
      if (sending.signal?.aborted) {
        reject(sending.signal.reason);
        return;
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      reject(new StoreFault(`the store at ${url.host} did not finish: ${why}`, { cause }));
    };
    const request = (secure ? https : http).request(url, {
      method: signed.method,
      headers,
      agent: agents[secure ? 'https:' : 'http:'],
      signal: sending.signal,
    });
    request.setTimeout(idleMs, () => request.destroy(new Error(`no byte for ${idleMs / 1000} s`)));
    request.on('error', fail);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const into = status === 206 ? sending.into : undefined;
      const pieces: Buffer[] = [];
      let length = 0;
      response.on('data', (piece: Buffer) => {
        if (into) length += piece.copy(into, length);
        else pieces.push(piece);
      });
      response.on('error', fail);
      response.on('end', () => {
        if (!response.complete) return fail(new Error('the answer broke off'));
        const body = into ? into.subarray(0, length) : Buffer.concat(pieces);
        resolve({ status, headers: response.headers, body });
      });
    });
    for (const part of parts) request.write(part, () => sending.onBytes?.(part.length));
    request.end();
  });
}

/** What an answer that isn't a success says. */
export function refusalOf(what: string, answer: Answer): StoreFault {
  const text = detailOf(answer);
  return new StoreFault(`the store answered ${answer.status} to ${what}${text ? `: ${text}` : ''}`);
}

/** What the directory store says in JSON, or the beginning of what an S3 server says in XML. */
function detailOf({ headers, body }: Answer): string {
  if (headers['content-type']?.includes('json')) {
    const { detail } = JSON.parse(body.toString()) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  }
  return body.toString('utf8', 0, 300).replace(/\s+/g, ' ').trim();
}
