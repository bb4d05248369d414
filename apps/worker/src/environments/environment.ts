import type { Environment } from '@mycloud/shared';

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

export interface Environments {
  /**
   * Makes an environment ready, building it when it isn't there.
   * @param codeDir its requirements.txt or floyd_requirements.txt is honoured, for Python
   * @param say told what is being done, line by line
   * @throws EnvironmentError when it can't be built
   */
  prepare(
    environment: Environment,
    codeDir: string,
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<PreparedEnvironment>;
}

/** An environment can't be built; the message is shown to the person. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}
