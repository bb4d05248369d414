import http from 'node:http';
import { pageHeader } from '@mycloud/shared';

/** Who calls: what is sent of a token or a cookie. */
export interface Caller {
  name: string;
  headers: Record<string, string>;
  /** An address of this machine that is his: what is counted by address is counted for him. */
  address: string;
}

export interface Knock {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Sends a request and looks at the status of its answer alone: a stream is left as soon as it begins. */
export function knock(url: string, { method, path, body, headers }: Knock, caller: Caller): Promise<number> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, {
      method,
      headers: {
        ...headers,
        ...caller.headers,
        ...(sent !== undefined && { 'content-type': 'application/json' }),
      },
      agent: false,
      localAddress: process.platform === 'linux' ? caller.address : undefined,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', () => undefined);
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.end(sent);
  });
}

export const bearer = (name: string, token: string, n: number): Caller => ({
  name,
  headers: { authorization: `Bearer ${token}` },
  address: `127.0.0.${n}`,
});

/** A browser: on the page itself, or led by another site. */
export const cookie = (name: string, value: string, isPage: boolean, n: number): Caller => ({
  name,
  headers: isPage ? { cookie: value, [pageHeader]: '1' } : { cookie: value },
  address: `127.0.0.${n}`,
});
