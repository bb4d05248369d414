/** Aborted by the first SIGTERM or Ctrl-C. A closed terminal counts too, but not what nohup was asked to outlive. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (process.stdin.isTTY) signals.push('SIGHUP');
  for (const signal of signals) process.on(signal, () => stop.abort());
  for (const output of [process.stdout, process.stderr]) {
    // Nobody reads any more: what runs here is stopped first, where another command would just end.
    output.removeAllListeners('error');
    output.on('error', () => stop.abort());
  }
  return stop.signal;
}
