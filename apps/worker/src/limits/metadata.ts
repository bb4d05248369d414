import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@mycloud/shared';
import { entering } from './cgroup-cell.js';

/** What clouds tell whoever asks from inside, the machine's keys to them too: of AWS, Google, Azure and others; of Alibaba; by IPv6. */
const places = {
  iptables: ['169.254.0.0/16', '100.100.100.200/32'],
  ip6tables: ['fd00:ec2::254/128', 'fd20:ce::254/128'],
} as const;
type Program = keyof typeof places;
/** The firewall's programs are where an ordinary search path doesn't look. */
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
const programs = Object.keys(places) as Program[];
const targets = programs.flatMap((program) => places[program].map((to) => ({ program, to })));

/** Whether jobs are kept from a cloud's metadata, and by what, or why not. */
export interface Metadata {
  readonly closed: boolean;
  readonly text: string;
}

export const metadataOpen = (why: string): Metadata => ({ closed: false, text: why });

/** Exits with 1 where the address refuses at once, as the rule has it do; 0 where somebody answers; 2 after a second. */
const probe = `const socket = require('node:net').connect({ host: '169.254.169.254', port: 80, timeout: 1000 });
socket.on('connect', () => process.exit(0)).on('timeout', () => process.exit(2));
socket.on('error', ({ code }) => process.exit(code === 'ECONNREFUSED' ? 1 : 2));`;

/**
 * Has the kernel refuse what processes below a cgroup send to a cloud's metadata, which takes root and netfilter's match for
 * cgroups. It costs jobs nothing, and DNS, which some clouds serve there, stays. It is tried from inside before it is claimed.
 * @param group below which jobs are, in cgroup v2; it must be there
 * @param mount where cgroup v2 is
 */
export async function barMetadata(group: string, mount: string): Promise<Metadata> {
  if (process.getuid?.() !== 0) return metadataOpen('only a worker that root runs can close it');
  const closed = {
    closed: true,
    text: 'the firewall refuses what jobs send there (iptables, by their cgroup)',
  };
  try {
    if ((await hasRules(group, mount)) && (await isRefused(group))) return closed;
    await sweepRules(group, mount);
    for (const { program, to } of targets) await tables(program, '-I', ...rule(group, mount, to));
    if (await isRefused(group)) return closed;
    liftBar(group, mount);
    return metadataOpen('a rule of the firewall by cgroup has no effect here');
  } catch (error) {
    if (error instanceof AppError) return metadataOpen(error.message);
    throw error;
  }
}

/** Takes the rules away again. */
export function liftBar(group: string, mount: string): void {
  for (const { program, to } of targets) {
    try {
      execFileSync(program, ['-w', '5', '-D', ...rule(group, mount, to)], { env, stdio: 'ignore' });
    } catch (error) {
      // It isn't there, or the program isn't.
      if (!(error instanceof Error)) throw error;
    }
  }
}

/**
 * Has the kernel drop what networks of containers send to a cloud's metadata, by their addresses and before it decides where it
 * goes: elsewhere engines put rules of their own in front. Takes root. DNS stays, as for other jobs.
 * @param subnets of IPv4, as 10.1.0.0/16
 */
export async function dropMetadata(subnets: readonly string[]): Promise<Metadata> {
  if (process.getuid?.() !== 0) return metadataOpen('only a worker that root runs can close it');
  try {
    for (const rule of subnets.flatMap(dropRules))
      if ((await exitCode('iptables', '-w', '5', '-t', 'raw', '-C', ...rule)) !== 0)
        await tables('iptables', '-t', 'raw', '-I', ...rule);
    return { closed: true, text: 'the firewall drops what they send there (iptables, by their network)' };
  } catch (error) {
    if (error instanceof AppError) return metadataOpen(error.message);
    throw error;
  }
}

/** Takes these rules away again. */
export async function liftDrop(subnets: readonly string[]): Promise<void> {
  for (const rule of subnets.flatMap(dropRules))
    await exitCode('iptables', '-w', '5', '-t', 'raw', '-D', ...rule);
}

const dropRules = (subnet: string): string[][] =>
  places.iptables.map((to) => ['PREROUTING', '-s', subnet, ...toPlace(to), '-j', 'DROP']);

/** Whether somebody answers at the address where most clouds have their metadata. */
export const metadataAnswers = async (): Promise<boolean> =>
  (await exitCode(process.execPath, '-e', probe)) === 0;

const toPlace = (to: string): string[] => ['-d', to, '-p', 'tcp', '!', '--dport', '53'];

function rule(group: string, mount: string, to: string): string[] {
  const from = ['-m', 'cgroup', '--path', path.relative(mount, group)];
  return ['OUTPUT', ...toPlace(to), ...from, '-j', 'REJECT', '--reject-with', 'tcp-reset'];
}

async function hasRules(group: string, mount: string): Promise<boolean> {
  for (const { program, to } of targets)
    if ((await exitCode(program, '-w', '5', '-C', ...rule(group, mount, to))) !== 0) return false;
  return true;
}

/** A rule is of a cgroup, not of its name: those whose cgroup is gone, or was made anew, match nothing any more. */
async function sweepRules(group: string, mount: string): Promise<void> {
  for (const program of programs) {
    for (const line of (await tables(program, '-S', 'OUTPUT')).split('\n')) {
      const [, at] = /--path "?(\S*mycloud-[0-9a-f]{12})"? -j REJECT/.exec(line) ?? [];
      if (at === undefined) continue;
      const dir = path.join(mount, at);
      // Another worker may have taken it away in this moment.
      if (dir === group || !existsSync(dir))
        await exitCode(program, '-w', '5', ...line.replace(/^-A/, '-D').replaceAll('"', '').split(' '));
    }
  }
}

async function isRefused(group: string): Promise<boolean> {
  const inside = path.join(group, 'probe');
  const [program = '', ...words] = entering(inside);
  try {
    return (await exitCode(program, ...words, process.execPath, '-e', probe)) === 1;
  } finally {
    rmdirSync(inside);
  }
}

/** @returns what it says. @throws AppError unavailable when it isn't there or refuses */
async function tables(program: Program, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, ['-w', '5', ...args], { env })).stdout;
  } catch (cause) {
    const { code, stderr = '' } = cause as NodeJS.ErrnoException & { stderr?: string };
    const why = code === 'ENOENT' ? 'is not installed' : `refuses it: ${stderr.trim().split('\n')[0]}`;
    throw new AppError('unavailable', `${program} ${why}`, { cause });
  }
}

/** @returns its exit code; −1 when it can't be started */
async function exitCode(program: string, ...args: string[]): Promise<number> {
  try {
    await promisify(execFile)(program, args, { env });
    return 0;
  } catch (error) {
    const { code } = error as { code?: number | string };
    return typeof code === 'number' ? code : -1;
  }
}
