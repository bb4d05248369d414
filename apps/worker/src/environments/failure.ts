import { EnvironmentError } from './environment.js';

/** What pip, uv and npm say when no network carries them. */
const network =
  /invalid peer certificate|CERTIFICATE_VERIFY_FAILED|NewConnectionError|NameResolutionError|Temporary failure in name resolution|Failed to establish a new connection|Connection refused|ConnectTimeout|ReadTimeoutError|ProxyError|Network is unreachable|No route to host|dns error|error sending request|tcp connect error|operation timed out|\b(ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH)\b/i;

const full = /No space left on device|ENOSPC|os error 28\b/;

/**
 * Why a build failed, in a sentence, from what its program printed.
 * @param otherwise where it printed nothing
 */
export function failureOf(lines: readonly string[], otherwise: string): EnvironmentError {
  const text = lines.join('\n');
  if (full.test(text)) {
    const cause = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    return new EnvironmentError('the disk of this worker is full: the environment did not fit', { cause });
  }
  const words =
    wrongHash(text) ??
    unreachable(text) ??
    conflict(text) ??
    noSuchVersion(text) ??
    wrongPython(text) ??
    notCompiled(text) ??
    lines.findLast((line) => /error/i.test(line))?.replace(/^\s*(ERROR|error|npm error): ?/, '') ??
    lines.at(-1) ??
    otherwise;
  return new EnvironmentError(words.trim());
}

/** pip tells of a network that is down only in its warnings, and ends with "no matching distribution". */
function unreachable(text: string): string | undefined {
  if (!network.test(text)) return undefined;
  const found = /from versions: (?!none)/.test(text);
  if (found) return undefined;
  const host =
    /host='([^']+)'/.exec(text)?.[1] ??
    /https?:\/\/(?:[^@/\s`'"]*@)?([^/\s`'"):]+)/.exec(text)?.[1] ??
    /host: '([^']+)'/.exec(text)?.[1];
  return `this worker is offline, or its package index can't be reached${host ? ` (${host})` : ''}`;
}

function wrongHash(text: string): string | undefined {
  if (!/DO NOT MATCH THE HASHES|Hash mismatch/i.test(text)) return undefined;
  const name = /^\s+(\S+) from \S+.*:$/m.exec(text)?.[1] ?? /Hash mismatch for `([^`]+)`/.exec(text)?.[1];
  return `${name ?? 'a package'} does not match its hash in the requirements: it is another file than when they were written, or was tampered with`;
}

function conflict(text: string): string | undefined {
  const pip = /The conflict is caused by:\n((?:\s+.+\n?)+)/.exec(text)?.[1];
  if (pip) {
    const sides = pip
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /depends on|requested|requires|constraint/i.test(line));
    return `the requirements contradict each other: ${sides.join('; ')}`;
  }
  const uv = uvReason(text);
  if (!uv || /not found in the package registry|there is no version of|no versions of/.test(uv))
    return undefined;
  return `the requirements contradict each other: ${uv}`;
}

/** uv draws its reason as a tree over several lines. */
function uvReason(text: string): string | undefined {
  const drawn = /No solution found when resolving[^\n]*\n([\s\S]*)/.exec(text)?.[1];
  return drawn
    ?.replace(/\n\n[\s\S]*|hint:[\s\S]*/g, '')
    .replace(/[╰─▶│]|^ *cause:/gm, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^ ?Because /, '')
    .replace(/, we can conclude that your requirements are unsatisfiable\.?/, '')
    .trim();
}

function noSuchVersion(text: string): string | undefined {
  const pip = /satisfies the requirement (\S+?)(?: \(from [^)]*\))? \(from versions: ([^)]*)\)/.exec(text);
  if (pip) {
    const versions = (pip[2] ?? '').split(', ').filter((version) => version && version !== 'none');
    if (versions.length === 0) return `there is no package ${pip[1]} for this worker's Python`;
    const newest = versions.slice(-4).join(', ');
    return `there is no ${pip[1]} for this worker's Python; there is ${newest}`;
  }
  const uv = uvReason(text);
  if (uv) return `there is no such package: ${uv}`;
  const npm = /404\s+'?([@\w./-]+)@?[^']*'? is not in this registry/.exec(text)?.[1];
  return npm && `there is no npm package ${npm}`;
}

const wrongPython = (text: string): string | undefined =>
  /(Package '[^']+' requires a different Python: .*)/.exec(text)?.[1];

function notCompiled(text: string): string | undefined {
  const name =
    /Failed building wheel for (\S+)/.exec(text)?.[1] ??
    /Failed to build `([^`]+)`/.exec(text)?.[1] ??
    /Failed to build installable wheels for some pyproject.toml based projects \(([^)]+)\)/.exec(text)?.[1] ??
    /Failed to build '?([\w.-]+)'? when (?:getting requirements|installing build)/.exec(text)?.[1] ??
    (/subprocess-exited-with-error|Getting requirements to build wheel did not run/.test(text)
      ? (/(?:Collecting|Processing) (\S+)(?![\s\S]*(?:Collecting|Processing) )/.exec(text)?.[1] ??
        'a package')
      : undefined);
  if (!name) return undefined;
  const why =
    /(\S*: ?)?fatal error: .*/.exec(text)?.[0] ??
    /error: command .* failed.*/.exec(text)?.[0] ??
    /^\s*(\w*(?:Error|Exception): .*)$/m.exec(text)?.[1] ??
    'see the lines above';
  return `${name} has no wheel for this worker's Python, and compiling it failed: ${why.trim()}`;
}
