import {
  type JobMode,
  parseMount,
  parseSeconds,
  placeMounts,
  proposedMounts,
  type RestartJob,
} from '@mycloud/shared';
import { usage } from './usage.js';

/** The flags that `run` and `restart` share; what isn't given is undefined. */
export interface JobFlags {
  /** false: --no-data */
  data?: string[] | false;
  gpu?: boolean;
  gpu2?: boolean;
  cpu?: boolean;
  cpu2?: boolean;
  /** floyd's older words for gpu2 and cpu2. */
  'gpu+'?: boolean;
  'cpu+'?: boolean;
  machine?: string;
  env?: string;
  tensorboard?: boolean;
  message?: string;
  tag?: string[];
  /** false: --no-tags */
  tags?: boolean;
  maxRuntime?: string;
  retries?: string;
  notify?: string[] | false;
  /** `job` is floyd's word for a command. */
  mode?: JobMode | 'job';
  idle?: string;
}

/** The settings that were given. @throws CommanderError for what can't be read */
export function readSettings(flags: JobFlags): Omit<RestartJob, 'env' | 'command'> {
  const settings: Omit<RestartJob, 'env' | 'command'> = {
    mode: modeOf(flags.mode),
    mounts: flags.data === false ? [] : flags.data && mountsOf(flags.data),
    machine: machineOf(flags),
    environment: flags.env,
    tensorboard: flags.tensorboard,
    description: flags.message,
    tags: flags.tags === false ? [] : flags.tag,
    maxRuntimeSeconds: secondsOf('--max-runtime', flags.maxRuntime),
    idleSeconds: secondsOf('--idle', flags.idle),
    retries: retriesOf(flags.retries),
    notify: flags.notify === false ? [] : flags.notify,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** What a Jupyter runs unless told. */
export const jupyterCommand = 'jupyter lab';

/** A mode as we call it. */
export const modeOf = (mode: JobMode | 'job' | undefined): JobMode | undefined =>
  mode === 'job' ? 'command' : mode;

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

/** `SRC:MOUNT`; a single one without a mount is at /input. */
function mountsOf(texts: string[]): { source: string; name: string }[] {
  const written = texts.map((text) => {
    const mount = parseMount(text);
    if (!mount) throw usage(`--data ${text}: write SOURCE:MOUNT, such as lab/datasets/dogsvscats/1:input`);
    return mount;
  });
  const placed = placeMounts(written);
  if (placed) return placed;
  const proposed = proposedMounts(written).map((text) => `--data ${text}`);
  throw usage(`several --data have no mount; say where each is to be, such as ${proposed.join(' ')}`);
}

const machineFlags = {
  gpu: 'gpu',
  gpu2: 'gpu2',
  cpu: 'cpu',
  cpu2: 'cpu2',
  'gpu+': 'gpu2',
  'cpu+': 'cpu2',
} as const;

function machineOf(flags: JobFlags): string | undefined {
  const asked = Object.entries(machineFlags)
    .filter(([flag]) => flags[flag as keyof typeof machineFlags])
    .map(([flag, machine]): [string, string] => [`--${flag}`, machine]);
  if (flags.machine) asked.push([`--machine ${flags.machine}`, flags.machine]);
  if (asked.length > 1)
    throw usage(`${asked.map(([flag]) => flag).join(' and ')} can't be asked for together; choose one`);
  return asked[0]?.[1];
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
