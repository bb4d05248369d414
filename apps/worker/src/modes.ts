import { cp } from 'node:fs/promises';
import { type Assignment, shellQuoted } from '@mycloud/shared';
import type { AttemptFolder } from './attempt-folder.js';

/** What tells a job's web server where to listen. */
export function listenEnv(
  { jupyterToken }: Assignment,
  { host, port }: { host: string; port: number },
): Record<string, string> {
  return {
    HOST: host,
    PORT: String(port),
    ...(jupyterToken === null ? {} : { JUPYTER_TOKEN: jupyterToken }),
  };
}

/** A Jupyter works in /output, on a copy of the code: what is edited there is kept as all output is, also when its worker dies. */
export function codeIntoOutput({ codeDir, outputDir }: AttemptFolder): Promise<void> {
  // What an attempt before this one has saved counts, not what it began with.
  return cp(codeDir, outputDir, { recursive: true, force: false, verbatimSymlinks: true });
}

/**
 * The shell's words for a Jupyter in /output that only whoever knows the job's token gets into. Everything it is reached by is below
 * the job's address. It ends by itself when no kernel is busy and no page open for `idleSeconds`: a kernel idle for so long without
 * a page is ended, and without a kernel the server.
 */
export function jupyterCommand({ name, command, environment, idleSeconds }: Assignment): string {
  const options = [
    '--no-browser',
    '--allow-root',
    `--ServerApp.base_url=/${name}/jupyter/`,
    // It is found at this port or not at all.
    '--ServerApp.port_retries=0',
    // Who comes with the token isn't forged, and the page in its sandbox has no cookie to prove it by.
    '--ServerApp.disable_check_xsrf=True',
    '--ServerApp.allow_remote_access=True',
    '--ServerApp.quit_button=False',
    ...(idleSeconds === null
      ? []
      : [
          `--ServerApp.shutdown_no_activity_timeout=${idleSeconds}`,
          `--MappingKernelManager.cull_idle_timeout=${idleSeconds}`,
          `--MappingKernelManager.cull_interval=${Math.max(1, Math.min(60, Math.round(idleSeconds / 4)))}`,
        ]),
  ];
  const missing = `jupyter: not found in the environment ${environment.name}; add a line jupyterlab to requirements.txt, or use --env jupyter`;
  return [
    `command -v jupyter >/dev/null && jupyter lab --version >/dev/null 2>&1 || { echo ${shellQuoted(missing)} >&2; exit 127; }`,
    'cd "$MYCLOUD_OUTPUT"',
    `exec ${command} ${options.join(' ')} --ServerApp.ip="$HOST" --ServerApp.port="$PORT" --ServerApp.root_dir="$PWD"`,
  ].join('\n');
}
