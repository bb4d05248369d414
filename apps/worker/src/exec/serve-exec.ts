import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { AppError, type ExecOutput, execInputSchema, execStartSchema, execStreams } from '@mycloud/shared';
import type { WebSocket } from 'ws';
import type { RunningJob } from '../running-job.js';
import type { ExecSession } from './session.js';

/** Most bytes of output that wait for a slow reader; the command waits then too. */
const maxWaiting = 1024 * 1024;

/** Runs what a WebSocket asks for inside a job; the end of either is the end of both. Resolves when nothing of it is left. */
export async function serveExec(socket: WebSocket, running: RunningJob): Promise<void> {
  const tell = (output: ExecOutput): void => socket.send(JSON.stringify(output));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let session: ExecSession | undefined;
  try {
    const first = await new Promise<unknown>((resolve) => {
      socket.once('message', resolve);
      void closed.then(() => resolve(undefined));
    });
    if (first === undefined) return;
    const { command, terminal } = execStartSchema.parse(JSON.parse(String(first)));
    const env = { ...running.env, ...(terminal ? { TERM: terminal.name } : {}) };
    session = await running.exec({ argv: command, env, terminal, session: randomUUID() });
  } catch (error) {
    const hint = error instanceof AppError ? error.hint : undefined;
    tell({ type: 'error', message: error instanceof Error ? error.message : String(error), hint });
    socket.close();
    return;
  }
  void closed.then(session.kill);
  takeInput(socket, session);
  const outputs = [sendOutput(socket, session.stdout, execStreams.stdout)];
  if (session.stderr) outputs.push(sendOutput(socket, session.stderr, execStreams.stderr));
  tell({ type: 'started' });
  const code = await session.ended;
  // A reader that is gone reads no more.
  await Promise.race([Promise.all(outputs), closed]);
  tell({ type: 'exit', code });
  socket.close();
}

function takeInput(socket: WebSocket, { stdin, resize }: ExecSession): void {
  stdin.on('error', () => undefined);
  stdin.on('drain', () => socket.resume());
  socket.on('message', (data, binary) => {
    if (binary) {
      if (!stdin.write(data)) socket.pause();
      return;
    }
    const input = execInputSchema.safeParse(JSON.parse(String(data))).data;
    if (input?.type === 'resize') resize(input.columns, input.rows);
    else if (input?.type === 'stdin_end') stdin.end();
  });
}

async function sendOutput(socket: WebSocket, stream: Readable, mark: number): Promise<void> {
  const head = Buffer.from([mark]);
  stream.on('data', (bytes: Buffer) => {
    socket.send(Buffer.concat([head, bytes]), () => {
      if (socket.bufferedAmount < maxWaiting) stream.resume();
    });
    if (socket.bufferedAmount >= maxWaiting) stream.pause();
  });
  await finished(stream, { writable: false }).catch(() => undefined);
}
