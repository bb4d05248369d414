import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import { TrainerError } from '../errors.js';

/** The library this command is part of: a script in any folder imports it by name. */
const trainer: Plugin = {
  name: 'trainer',
  setup({ onResolve }) {
    const library = new URL('../index.js', import.meta.url).href;
    onResolve({ filter: /^@mycloud\/trainer$/ }, () => ({ path: library, external: true }));
  },
};

export function isScript(arg: string | undefined): arg is string {
  return arg !== undefined && /\.[cm]?[jt]s$/.test(arg);
}

/**
 * Runs a script that a person wrote over the library (`train very_little_data.ts --logdir …`), as `python` runs the
 * tutorial's: TypeScript on any Node, nothing installed beside it.
 * @throws TrainerError 'bad_option' where it isn't there or doesn't parse; what the script throws, as it is.
 */
export async function runScript(script: string, args: string[]): Promise<void> {
  const file = path.resolve(script);
  if (!(await stat(file).catch(() => undefined))?.isFile()) {
    throw new TrainerError('bad_option', `There is no script ${file}`);
  }
  const dir = await mkdtemp(path.join(tmpdir(), 'train-'));
  try {
    const outfile = path.join(dir, `${path.basename(file, path.extname(file))}.mjs`);
    await build({
      entryPoints: [file],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [trainer],
    }).catch((error: BuildFailure) => {
      const [first] = error.errors;
      const at = first?.location ? `${first.location.file}:${first.location.line}: ` : '';
      throw new TrainerError('bad_option', `${at}${first?.text ?? error.message}`, { cause: error });
    });
    process.setSourceMapsEnabled(true);
    process.argv = [process.execPath, file, ...args];
    await import(pathToFileURL(outfile).href);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
