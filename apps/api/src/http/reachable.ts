import { AppError } from '@mycloud/shared';
import ipaddr from 'ipaddr.js';

type Ip = ReturnType<typeof ipaddr.parse>;
/** A network of addresses: its first one and the bits that all share. */
export type Subnet = readonly [Ip, number];

/** Addresses that are given out as IPv6 (RFC 4291 §2.4): everything public is among them. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/**
 * Whether the server may connect to an address that somebody else chose: a public one, by IANA's registries of special addresses as
 * ipaddr.js has them, or one of `allowed`. An IPv4 address in IPv6's clothes is taken as what it is.
 */
export function mayReach(address: string, allowed: readonly Subnet[]): boolean {
  // A zone (fe80::1%eth0) names a link, which no public address has.
  if (!ipaddr.isValid(address) || address.includes('%')) return false;
  const ip = ipaddr.process(address);
  if (allowed.some(([first, bits]) => first.kind() === ip.kind() && ip.match(first, bits))) return true;
  if (ip.range() !== 'unicast') return false;
  return ip.kind() === 'ipv4' || ip.match(...globalUnicast);
}

/** Reads a list as `10.0.0.0/8, fd00::/8, 192.168.1.7`. @throws AppError bad_request that names what is none */
export function parseSubnets(list: string): Subnet[] {
  const parts = list.split(',').map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    if (ipaddr.isValidCIDR(part)) return ipaddr.parseCIDR(part);
    if (ipaddr.isValid(part)) {
      const ip = ipaddr.process(part);
      return [ip, ip.kind() === 'ipv4' ? 32 : 128];
    }
    throw new AppError('bad_request', `${part} is neither an address nor a network like 10.0.0.0/8`);
  });
}
