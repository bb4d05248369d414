import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { type ExecRequest, type ExecSession, sessionVariable } from './session.js';

/** The image's bash, or its sh. */
const shell = ['/bin/sh', '-c', '[ -x /bin/bash ] && exec /bin/bash; exec /bin/sh'];

/**
 * Kills what carries a session's mark, or any session's. An engine has no word for it, and its processes may be another user's
 * to this worker: so it is done inside. Twice, for what forked meanwhile.
 */
const killer = `for again in 1 2; do for dir in /proc/[0-9]*; do
  grep -qs "^$1\\|[^A-Z_]$1" "$dir/environ" && kill -9 "\${dir#/proc/}" 2>/dev/null
done; done; :`;

/** Runs a command in a container by the engine itself. */
export async function execInContainer(
  container: Docker.Container,
  request: ExecRequest,
): Promise<ExecSession> {
  const { argv, env, terminal, session } = request;
  const all = { ...env, [sessionVariable]: session };
  const exec = await container.exec({
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: terminal !== null,
    Cmd: argv.length > 0 ? argv : shell,
    Env: Object.entries(all).map(([name, value]) => `${name}=${value}`),
    WorkingDir: '/code',
  });
  const stream = await exec.start({ hijack: true, stdin: true, Tty: terminal !== null });
  const resize = (columns: number, rows: number): void => {
    // It may have ended.
    exec.resize({ w: columns, h: rows }).catch(() => undefined);
  };
  if (terminal) await firstSize(exec, terminal);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  if (terminal) stream.pipe(stdout);
  else container.modem.demuxStream(stream, stdout, stderr);
  const ended = finished(stream, { writable: false })
    .catch(() => undefined)
    .then(async () => {
      stdout.end();
      stderr.end();
      await endContainerSessions(container, session);
      return exitCodeOf(exec);
    });
  return {
    stdin: stream,
    stdout,
    stderr: terminal ? null : stderr,
    resize,
    ended,
    kill: () => {
      void endContainerSessions(container, session).then(() => stream.destroy());
    },
  };
}

/** Before anything is typed. An engine may take a moment until there is a terminal to be sized. */
async function firstSize(
  exec: Docker.Exec,
  { columns, rows }: { columns: number; rows: number },
): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    try {
      await exec.resize({ w: columns, h: rows });
      return;
    } catch {
      // Not there yet, or over already, which its end tells.
      await sleep(50);
    }
  }
}

/** Ends what a session left running in a container, or all sessions did. Never fails: the container may have gone with them. */
export async function endContainerSessions(container: Docker.Container, session = ''): Promise<void> {
  try {
    const exec = await container.exec({
      AttachStdout: true,
      Cmd: ['/bin/sh', '-c', killer, 'mycloud-end', `${sessionVariable}=${session}`],
    });
    const stream = await exec.start({});
    stream.resume();
    await finished(stream, { writable: false });
  } catch {
    // Gone with its container, or with the engine: there is nothing left to end.
  }
}

/** An engine may take a moment to know it. 137: it ended with its container. */
async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  try {
    return (await exec.inspect()).ExitCode ?? 137;
  } catch {
    return 137;
  }
}
