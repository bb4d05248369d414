import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { EnvironmentError } from './environment.js';

/** An interpreter on this worker. */
export interface Python {
  program: string;
  /** 3.11 */
  version: string;
  /** Where its libraries are. */
  prefix: string;
  /** Where its packages are. */
  site: string;
}

const question = `import json, sys, sysconfig
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "prefix": sys.base_prefix, "site": sysconfig.get_paths()["purelib"]}))`;

/** The interpreters of this worker; each is asked once. */
export class Pythons {
  #searchPath: string;
  #behindWalls: (argv: string[], program: string) => string[];
  #known = new Map<string, Python>();

  /** @param behindWalls wraps what runs a Python that holds packages, whose code runs at its start */
  constructor(searchPath: string, behindWalls: (argv: string[], program: string) => string[]) {
    this.#searchPath = searchPath;
    this.#behindWalls = behindWalls;
  }

  /** Asks an interpreter what it is. @returns null when it is none, or doesn't run */
  async ask(program: string): Promise<Python | null> {
    const known = this.#known.get(program);
    if (known) return known;
    try {
      const env = { PATH: this.#searchPath, LANG: 'C.UTF-8', HOME: '/' };
      const [command = '', ...args] = this.#behindWalls([program, '-c', question], program);
      const { stdout } = await promisify(execFile)(command, args, { env, timeout: 30_000 });
      const python = { program, ...(JSON.parse(stdout) as Omit<Python, 'program'>) };
      this.#known.set(program, python);
      return python;
    } catch {
      // Not there, or a wrapper for a Python that isn't.
      return null;
    }
  }

  /**
   * The first on the search path of one of these versions, python3 before python3.11; of any where none is named.
   * @param what wants it
   * @throws EnvironmentError that names what there is
   */
  async find(what: string, versions: readonly string[]): Promise<Python> {
    const further = versions.length > 0 ? versions.map((version) => `python${version}`) : ['python'];
    const others = new Set<string>();
    for (const name of ['python3', ...further]) {
      for (const folder of this.#searchPath.split(path.delimiter).filter(path.isAbsolute)) {
        const program = path.join(folder, name);
        const python = mayRun(program) ? await this.ask(program) : null;
        const isOld = python?.version.startsWith('2.');
        if (python && !isOld && (versions.length === 0 || versions.includes(python.version))) return python;
        if (python) others.add(python.version);
      }
    }
    const has = others.size > 0 ? `has Python ${[...others].join(', ')} only` : 'has no Python';
    const wanted = versions.length > 0 ? versions.join(' or ') : '3';
    throw new EnvironmentError(
      `${what} wants Python ${wanted}, and this worker ${has}: install it there, or uv, which brings it`,
    );
  }
}

/** A program on the search path. */
export const findProgram = (name: string, searchPath: string): string | undefined =>
  searchPath
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
