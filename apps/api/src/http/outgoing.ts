import { lookup as resolve } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { AppError } from '@mycloud/shared';
import { type IncomingAnswer, readAnswer } from './outgoing-answer.js';
import { mayReach, type Subnet } from './reachable.js';

/** What is sent to an address that a person gave. */
interface OutgoingRequest {
  method: 'GET' | 'POST' | 'PUT';
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds for all of it: name, connection, answer. Default 10,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface Outgoing {
  /**
   * Whether a URL could be called, asked when a person gives it. It is asked again at every call, since a name may mean another
   * address by then.
   * @throws AppError bad_request that says why not
   */
  check(url: string): Promise<void>;
  /**
   * Calls a URL that a person gave. A redirect is an answer like another and is not followed; of the body the first 64 KiB are read.
   * @throws AppError bad_request for a URL that may not be called, unavailable where nobody answers
   */
  send(url: string, request: OutgoingRequest): Promise<IncomingAnswer>;
}

interface Address {
  address: string;
  family: number;
}

/**
 * The way out for URLs that users give (webhooks): the server stands where they don't, beside databases, clouds' metadata and other
 * people's machines, and would otherwise call these for them. Only public addresses are called, and those of `allowed`, which the
 * admin sets. The name is resolved once for a call and its answer is what is connected to, so that it can't change in between; a
 * name with one forbidden address among its answers is refused. Proxies of the environment aren't used.
 */
export function openOutgoing(allowed: readonly Subnet[], resolver: typeof resolve = resolve): Outgoing {
  async function addressesOf(url: URL): Promise<Address[]> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    let found: Address[];
    try {
      found = await resolver(host, { all: true });
    } catch (cause) {
      throw new AppError('bad_request', `the name ${host} of this URL can't be resolved`, {
        cause,
        hint: 'Look whether it is spelt right.',
      });
    }
    // The address isn't told: which names of the inside mean what is nobody's business.
    if (found.length === 0 || !found.every(({ address }) => mayReach(address, allowed))) {
      throw new AppError('bad_request', `${host} is not a public address, and the server calls no others`, {
        hint: 'An admin of the server allows it by MYCLOUD_OUTGOING_ALLOW.',
      });
    }
    return found;
  }

  return {
    async check(url) {
      await addressesOf(parse(url));
    },

    async send(given, { method, headers = {}, body, timeoutMs = 10_000, signal }) {
      const url = parse(given);
      const deadline = AbortSignal.timeout(timeoutMs);
      const limited = signal ? AbortSignal.any([signal, deadline]) : deadline;
      try {
        const addresses = await orAborted(addressesOf(url), limited);
        const { request } = url.protocol === 'https:' ? https : http;
        return await readAnswer(
          request(url, { method, headers, lookup: only(addresses), agent: false, signal: limited }),
          body,
        );
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof AppError) throw cause;
        const why = deadline.aborted ? `it took longer than ${timeoutMs / 1000} s` : (cause as Error).message;
        throw new AppError('unavailable', `${url.host} gave no answer: ${why}`, { cause });
      }
    },
  };
}

/** @throws AppError bad_request for what is no URL of http or https, or carries a password */
function parse(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new AppError('bad_request', 'this is not a URL that begins with http:// or https://');
  }
  if (url.username || url.password) {
    throw new AppError(
      'bad_request',
      'this URL holds a name or password, which anybody who sees it could read',
      {
        hint: 'Give it without them.',
      },
    );
  }
  return url;
}

/** Answers what was resolved and checked, whatever the name means by now. */
const only =
  (addresses: Address[]): LookupFunction =>
  (_host, options, done) => {
    if (options.all) done(null, addresses);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };

/** A resolver can't be interrupted; who waits for it can. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}
