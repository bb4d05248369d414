import { text } from 'node:stream/consumers';
import { AppError, fromProblem, type Problem } from '@mycloud/shared';
import { WebSocket } from 'ws';
import type { Login } from './context.js';

/** Opens a WebSocket to the server. @throws AppError as the server said it, or `unavailable` when none answers */
export function openWebSocket({ url, token }: Login, path: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/\/+$/, '').replace(/^http/, 'ws') + path, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_, response) => {
      text(response)
        .then((body) => reject(fromProblem(JSON.parse(body) as Problem)))
        .catch(() => reject(new AppError('unavailable', `${url} answered ${response.statusCode}`)));
    });
    socket.once('error', (cause) =>
      reject(
        new AppError('unavailable', `no answer from ${url}`, {
          cause,
          hint: 'Is the server running (`mycloud up`), and is the address right?',
        }),
      ),
    );
  });
}
