import { AppError, fromProblem } from './errors.js';
import type { Problem } from './problem.js';
import type { RouteContract, RouteInput, RouteOutput } from './route.js';

/** What a call needs of an answer; `fetch`'s is one. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Leaving a loop over it hangs up. */
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
  json(): Promise<unknown>;
}

export interface ClientOptions {
  /** The server's address, such as http://127.0.0.1:7070 */
  url: string;
  token?: string;
  /** `fetch`, or what does its part here. */
  fetch?: (url: string, init: RequestInit) => Promise<Answer>;
  /** Sent as User-Agent where the platform lets us. */
  agent?: string;
  /** Sent with each call, asked anew for each: what it is part of. */
  headers?: () => Record<string, string>;
}

export interface Extra {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Sent as it is (for routes with a raw request), piece by piece where it comes so; a browser can't send that. */
  rawBody?: RequestInit['body'] | AsyncIterable<Uint8Array>;
}

export interface Client {
  readonly url: string;
  /** Calls a route and answers its parsed JSON. @throws AppError as the server said it, or `unavailable` when none answers. */
  call<R extends RouteContract>(route: R, input: RouteInput<R>, extra?: Extra): Promise<RouteOutput<R>>;
  /** Calls a route and answers all that came, for bodies that aren't JSON. */
  open<R extends RouteContract>(route: R, input: RouteInput<R>, extra?: Extra): Promise<Answer>;
}

type Loose = { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown };

/** What a call needs of a route at run time; schemas are needed only to check what is answered. */
type Address = Pick<RouteContract, 'method' | 'path' | 'raw'>;

/** Sends one request. @throws AppError as the server said it, or `unavailable` when none answers */
export async function send(
  options: ClientOptions,
  route: Address,
  input: { params?: unknown; query?: unknown; body?: unknown },
  extra: Extra = {},
): Promise<Answer> {
  const base = options.url.replace(/\/+$/, '');
  const loose = input as Loose;
  const headers: Record<string, string> = { ...options.headers?.(), ...extra.headers };
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  if (options.agent) headers['user-agent'] = options.agent;
  let body = extra.rawBody;
  if (loose.body !== undefined) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(loose.body);
  } else if (extra.rawBody !== undefined && route.raw?.request) {
    headers['content-type'] ??= route.raw.request;
  }
  let response: Answer;
  try {
    response = await (options.fetch ?? fetch)(
      base + fillPath(route.path, loose.params) + queryString(loose.query),
      {
        method: route.method,
        headers,
        body: body as RequestInit['body'],
        // What comes piece by piece is sent before the answer begins: `fetch` wants that said.
        ...(body && typeof body === 'object' && Symbol.asyncIterator in body ? { duplex: 'half' } : {}),
        signal: extra.signal,
      },
    );
  } catch (cause) {
    if (extra.signal?.aborted) throw cause;
    throw new AppError('unavailable', `no answer from ${base || 'the server'}`, {
      cause,
      hint: 'Is the server running (`mycloud up`), and is the address right?',
    });
  }
  if (!response.ok) throw await errorOf(response, route);
  return response;
}

/** The typed client of the API, for the command line and the worker: what is answered is checked by the contract. */
export function createClient(options: ClientOptions): Client {
  return {
    url: options.url.replace(/\/+$/, ''),
    open: (route, input, extra) => send(options, route, input, extra),
    async call(route, input, extra) {
      const response = await send(options, route, input, extra);
      if (!route.response) {
        // Read to its end, so that the connection serves the next call.
        await response.text();
        return undefined as never;
      }
      return route.response.parse(await response.json()) as never;
    },
  };
}

function fillPath(path: string, params: Record<string, unknown> = {}): string {
  return path.replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function queryString(query: Record<string, unknown> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const item of value) search.append(key, String(item));
    else if (value !== undefined && value !== null) search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

async function errorOf(response: Answer, route: Address): Promise<AppError> {
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('json')) {
    const problem = (await response.json()) as Partial<Problem>;
    if (problem.code && problem.detail) return fromProblem(problem as Problem);
  } else await response.text();
  return new AppError(
    response.status >= 500 ? 'unavailable' : 'internal',
    `${route.method} ${route.path} answered ${response.status}`,
    { requestId: response.headers.get('x-request-id') ?? undefined },
  );
}
