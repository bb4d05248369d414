import { type JobMode, parseSeconds, type RestartJob } from '@mycloud/shared';
import { usage } from './usage.js';

/** The flags that `run` and `restart` share; what isn't given is undefined. */
export interface JobFlags {
  /** false: --no-data */
  data?: string[] | false;
  gpu?: boolean;
  gpu2?: boolean;
  cpu?: boolean;
  cpu2?: boolean;
  machine?: string;
  env?: string;
  tensorboard?: boolean;
  message?: string;
  tag?: string[];
  /** false: --no-tags */
  tags?: boolean;
  maxRuntime?: string;
  retries?: string;
  mode?: JobMode;
  idle?: string;
}

/** The settings that were given. @throws CommanderError for what can't be read */
export function readSettings(flags: JobFlags): Omit<RestartJob, 'env' | 'command'> {
  const settings: Omit<RestartJob, 'env' | 'command'> = {
    mode: flags.mode,
    mounts: flags.data === false ? [] : flags.data?.map(parseMount),
    machine: machineOf(flags),
    environment: flags.env,
    tensorboard: flags.tensorboard,
    description: flags.message,
    tags: flags.tags === false ? [] : flags.tag,
    maxRuntimeSeconds: secondsOf('--max-runtime', flags.maxRuntime),
    idleSeconds: secondsOf('--idle', flags.idle),
    retries: retriesOf(flags.retries),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** What a Jupyter runs. @throws CommanderError for another command, or none where one is needed */
export function readCommand(mode: JobMode | undefined, words: string[]): string {
  if (words.length > 0) return words.join(' ');
  if (mode === 'jupyter') return 'jupyter lab';
  throw usage(
    `say what to run, such as: mycloud run ${mode === 'serve' ? '--mode serve "node server.ts"' : '"train"'}`,
  );
}

/** `NAME=VALUE`, or `NAME` for the value it has here, so that a secret stands in no command line. */
export function readVariables(texts: string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name = '', given] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
      const value = given ?? process.env[name];
      if (!/^[A-Za-z_]\w*$/.test(name)) throw usage(`--var ${text}: write NAME=VALUE, or NAME`);
      if (value === undefined) throw usage(`--var ${name}: there is no ${name} here; write ${name}=VALUE`);
      return [name, value];
    }),
  );
}

/** `SRC:MOUNT`; without a mount it is at /input. */
function parseMount(text: string): { source: string; name: string } {
  const colon = text.lastIndexOf(':');
  const [source, name] =
    colon < 0 ? [text, 'input'] : [text.slice(0, colon), text.slice(colon + 1).replace(/^\//, '')];
  if (!source || !name)
    throw usage(`--data ${text}: write SOURCE:MOUNT, such as lab/datasets/dogsvscats/1:input`);
  return { source, name };
}

function machineOf(flags: JobFlags): string | undefined {
  const asked: string[] = (['gpu', 'gpu2', 'cpu', 'cpu2'] as const).filter((name) => flags[name]);
  if (flags.machine) asked.push(flags.machine);
  if (asked.length > 1) throw usage(`${asked.join(' and ')} can't be asked for together`);
  return asked[0];
}

function secondsOf(flag: string, text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return null;
  const seconds = parseSeconds(text);
  if (seconds === undefined) throw usage(`${flag} ${text}: write seconds, or 90s, 30m, 2h, 1d, or none`);
  return seconds;
}

function retriesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw usage(`--retries ${text}: write a whole number`);
  return Number(text);
}
