import type { BuiltEnvironment, Environment } from '@mycloud/shared';

/** What a job gets of an environment that is ready. */
export interface PreparedEnvironment {
  /** Folders put at the head of PATH. */
  bins: string[];
  /** Folders the job must see. */
  readOnly: string[];
  variables: Record<string, string>;
  /** A container image that is here. */
  image?: { id: string; path: string };
}

/** One that was built here, and isn't removed before it is released. */
export interface HeldEnvironment extends PreparedEnvironment {
  /** Names of the built folders it is made of, for a restarted worker to hold. */
  folders: string[];
  release(): void;
}

/** The code a job brings. */
export interface JobCode {
  dir: string;
  /** Names its content; null where nobody knows it: then its files' times count. */
  hash: string | null;
}

/** Who waits for an environment. */
export interface Asker {
  /** Told what is being done, line by line. */
  say(line: string): void;
  signal: AbortSignal;
}

export interface Environments {
  /**
   * Makes an environment ready, building it when it isn't there.
   * @param code its requirements.txt and floyd_requirements.txt are honoured, for Python
   * @throws EnvironmentError when it can't be built
   */
  prepare(environment: Environment, code: JobCode, asker: Asker): Promise<HeldEnvironment>;
  /** Keeps what a job uses that an earlier worker started. @returns lets go of it */
  hold(folders: readonly string[]): () => void;
  /** What is built here. */
  readonly built: BuiltEnvironment[];
  /** Removes one unless it is in use. @returns whether it is gone */
  remove(id: string): Promise<boolean>;
  /** Removes what was used longest ago and isn't in use now. @returns whether there was anything */
  makeRoom(): Promise<boolean>;
  /** Told when something was built or removed. */
  onChange(listener: () => void): void;
}

/** An environment can't be built; the message is shown to the person. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}
