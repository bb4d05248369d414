import {
  AppError,
  type ExecInput,
  type ExecOutput,
  type ExecStart,
  execOutputSchema,
  execRoutes,
  execStreams,
  jobName,
} from '@mycloud/shared';
import type { WebSocket } from 'ws';
import { openSession } from '../context.js';
import { ExitCode } from '../exit.js';
import { hint, printJson } from '../output.js';
import { usage } from '../usage.js';
import { openWebSocket } from '../web-socket.js';

/** Most bytes of stdin that wait for a slow connection. */
const maxWaiting = 1024 * 1024;

/**
 * Runs a command inside a running job, with this terminal where there is one; else stdin, stdout and stderr go through as
 * they are. Ends as the command does. @throws ExitCode, AppError
 */
export async function exec(name: string, command: string[], options: { json?: boolean }): Promise<void> {
  const { stdin, stdout } = process;
  const isTerminal = Boolean(stdin.isTTY && stdout.isTTY) && !options.json;
  if (options.json && command.length === 0) throw usage('exec --json needs a command');
  const session = await openSession();
  const ref = await session.jobRef(name);
  const path = execRoutes.open.path.replace(/:(\w+)/g, (_, key: keyof typeof ref) =>
    encodeURIComponent(String(ref[key])),
  );
  const socket = await openWebSocket(session.login, path);
  const terminal = isTerminal
    ? { columns: stdout.columns, rows: stdout.rows, name: process.env.TERM || 'xterm-256color' }
    : null;
  const start: ExecStart = { command, terminal };
  const output = options.json ? captured() : written();
  let code: number;
  try {
    code = await converse(socket, start, output.take);
  } finally {
    if (isTerminal) stdin.setRawMode(false);
    stdin.destroy();
  }
  await output.end(code);
  if (isTerminal && command.length === 0 && code === 137)
    hint(`\nThe shell was ended: ${jobName(ref)} has, or its worker.`);
  if (code !== 0) throw new ExitCode(code);
}

/** @returns the exit code @throws AppError when it could not begin, or the connection broke */
function converse(
  socket: WebSocket,
  start: ExecStart,
  take: (stream: 'stdout' | 'stderr', bytes: Buffer) => Promise<void> | undefined,
): Promise<number> {
  const tell = (input: ExecInput): void => socket.send(JSON.stringify(input));
  return new Promise((resolve, reject) => {
    const hear = (output: ExecOutput): void => {
      if (output.type === 'exit') resolve(output.code);
      else if (output.type === 'error')
        reject(new AppError('unavailable', output.message, { hint: output.hint }));
      else sendInput(socket, start.terminal !== null, tell);
    };
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (!binary) return hear(execOutputSchema.parse(JSON.parse(String(data))));
      const slow = take(data[0] === execStreams.stderr ? 'stderr' : 'stdout', data.subarray(1));
      if (!slow) return;
      socket.pause();
      void slow.then(() => socket.resume());
    });
    socket.on('error', () => socket.terminate());
    socket.once('close', () =>
      reject(
        new AppError('unavailable', 'the connection to the job broke off, which ended the command', {
          hint: 'Run it again; what is to go on without you belongs into a job of its own.',
        }),
      ),
    );
    socket.send(JSON.stringify(start));
  });
}

/** Sends stdin from now on, and a terminal's changes of size. */
function sendInput(socket: WebSocket, isTerminal: boolean, tell: (input: ExecInput) => void): void {
  const { stdin, stdout } = process;
  if (isTerminal) {
    // Ctrl-C and all other keys are the program's.
    stdin.setRawMode(true);
    stdout.on('resize', () => tell({ type: 'resize', columns: stdout.columns, rows: stdout.rows }));
  }
  stdin.on('data', (bytes: Buffer) => {
    socket.send(bytes, { binary: true }, () => {
      if (socket.bufferedAmount < maxWaiting) stdin.resume();
    });
    if (socket.bufferedAmount >= maxWaiting) stdin.pause();
  });
  stdin.on('end', () => tell({ type: 'stdin_end' }));
}

/** Onto this program's own stdout and stderr. */
function written() {
  return {
    take(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> | undefined {
      const target = process[stream];
      if (target.write(bytes)) return undefined;
      return new Promise((resolve) => target.once('drain', resolve));
    },
    /** Exiting would drop what a pipe hasn't taken. */
    async end(): Promise<void> {
      for (const target of [process.stdout, process.stderr])
        if (target.writableLength > 0) await new Promise((resolve) => target.once('drain', resolve));
    },
  };
}

/** As one line of JSON, at the end. */
function captured() {
  const pieces: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  return {
    take(stream: 'stdout' | 'stderr', bytes: Buffer): undefined {
      pieces[stream].push(bytes);
    },
    async end(exitCode: number): Promise<void> {
      const [stdout, stderr] = [pieces.stdout, pieces.stderr].map((all) => Buffer.concat(all).toString());
      printJson({ exitCode, stdout, stderr });
    },
  };
}
