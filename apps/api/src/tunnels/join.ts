import { WebSocket } from 'ws';

/** Most bytes that wait for a slow side; the other is not read meanwhile. */
const maxWaiting = 1024 * 1024;

/** Hands the messages of each to the other until one closes, which closes the other. */
export function join(a: WebSocket, b: WebSocket): void {
  hand(a, b);
  hand(b, a);
}

function hand(from: WebSocket, to: WebSocket): void {
  from.on('message', (data, binary) => {
    to.send(data as Buffer, { binary }, () => {
      if (from.isPaused && to.bufferedAmount < maxWaiting) from.resume();
    });
    if (to.bufferedAmount >= maxWaiting) from.pause();
  });
  from.once('close', () => to.close());
  if (from.readyState !== WebSocket.OPEN) to.close();
}
