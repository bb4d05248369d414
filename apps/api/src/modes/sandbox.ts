import type { IncomingHttpHeaders, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';

/**
 * What a job serves is anybody's: its author's code, a package's, the output of a notebook from the net. It shares our address, and
 * none of it may count as our page. So each answer is sandboxed into an origin of its own: no cookie goes with its requests, it has no
 * storage, it can't read our page or be taken for it by the api. Its own address, with the pass in it, is all that lets its requests in,
 * and leads to this job and nothing else.
 */
const policy =
  'sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads allow-pointer-lock';

/** Of one connection alone (RFC 9110, 7.6.1). */
const ofConnection = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** What tells the job who asks, or the address with the pass in it; this server has answered `expect` itself. */
const notForJobs = ['cookie', 'origin', 'referer', 'expect'];
/** What a job may not say in this server's name, to browsers that know it by its address. */
const notFromJobs = [
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'strict-transport-security',
  'alt-svc',
  'nel',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
];

const without = (headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders =>
  Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => value !== undefined && !names.includes(name)),
  );

/** The headers of a request as the job gets them. A token of this server's stays here. */
export function towardsJob(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const ours = /^Bearer mycw?_/i.test(headers.authorization ?? '');
  return without(headers, [...ofConnection, ...notForJobs, ...(ours ? ['authorization'] : [])]);
}

/** The origin of a page in the sandbox, as browsers send it. */
export const sandboxOrigin = 'null';

/**
 * Lets a sandboxed page read the answers to its own requests, also those it makes with credentials, as Jupyter's does: there are none,
 * since no cookie of ours goes with a request from such an origin, and none is looked at below an address with a pass.
 */
export const readable = {
  'access-control-allow-origin': sandboxOrigin,
  'access-control-allow-credentials': 'true',
};

/** The headers of a job's answer as its caller gets them. @param origin of the request */
export function fromJob(
  headers: IncomingHttpHeaders,
  origin: string | undefined,
): Record<string, OutgoingHttpHeader | undefined> {
  const own = headers['content-security-policy'];
  return {
    ...without(headers, [...ofConnection, ...notFromJobs]),
    ...(origin === sandboxOrigin && readable),
    // All policies hold together.
    'content-security-policy': [own ?? [], policy].flat(),
    'referrer-policy': 'no-referrer',
  };
}
