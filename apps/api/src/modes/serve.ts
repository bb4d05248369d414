import { type ServedAddress, servedPath } from './address.js';
import type { Way } from './forward.js';

/** A server doesn't know where it is reached: what follows its address is all it sees. */
export function serveWay(at: ServedAddress): Omit<Way, 'held'> {
  const prefix = servedPath(at, at.pass ?? undefined);
  return {
    path: at.rest,
    prefix,
    headers: {},
    location: (address) => (/^\/(?!\/)/.test(address) ? prefix + address : address),
  };
}
