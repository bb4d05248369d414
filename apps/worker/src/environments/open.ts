import path from 'node:path';
import { prepareBase } from './base.js';
import type { Environments } from './environment.js';
import { codeRequirements, preparePython } from './python.js';

export interface EnvironmentsOptions {
  home: string;
  trainerBin: string | undefined;
  /** Where python3 and uv are looked for. */
  path: string;
}

/** The environments of a worker, built below its home. */
export function openEnvironments(options: EnvironmentsOptions): Environments {
  const base = prepareBase(options.home, options.trainerBin);
  return {
    async prepare(environment, codeDir, say, signal) {
      if (environment.interpreter === 'node') return base;
      const python = await preparePython({
        root: path.join(options.home, 'environments'),
        requirements: [...environment.requirements, ...codeRequirements(codeDir)],
        path: options.path,
        say,
        signal,
      });
      return {
        bins: [...python.bins, ...base.bins],
        readOnly: [...python.readOnly, ...base.readOnly],
        variables: { ...base.variables, ...python.variables },
      };
    },
  };
}
