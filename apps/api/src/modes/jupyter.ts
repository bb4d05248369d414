import { type ServedAddress, servedPath } from './address.js';
import type { Way } from './forward.js';
import type { ServedJob } from './jobs.js';

/** Its page expects cookies and a storage, which the sandbox has not: it is given some that last as long as it is open. */
const standIns = `<script>for (const name of ['localStorage', 'sessionStorage']) {
  const kept = new Map();
  Object.defineProperty(window, name, { value: {
    getItem: (key) => kept.get(String(key)) ?? null,
    setItem: (key, value) => void kept.set(String(key), String(value)),
    removeItem: (key) => void kept.delete(String(key)),
    clear: () => kept.clear(),
    key: (i) => [...kept.keys()][i] ?? null,
    get length() { return kept.size; },
  } });
}
Object.defineProperty(document, 'cookie', { get: () => '', set: () => undefined });
</script>`;

/** A Jupyter was started below its job's address; in what has such addresses the pass comes into them. */
export function jupyterWay(job: ServedJob, at: ServedAddress): Omit<Way, 'held'> {
  const base = `${servedPath(at)}/`;
  const reached = `${servedPath(at, at.pass ?? undefined)}/`;
  return {
    path: base.slice(0, -1) + at.rest,
    prefix: reached.slice(0, -1),
    headers: {
      authorization: `token ${job.jupyterToken}`,
      // What is changed on its way is read.
      ...(!at.rest.startsWith('/static/') && { 'accept-encoding': 'identity' }),
    },
    location: (address) => address.replaceAll(base, reached),
    change: (type) => {
      if (/^text\/html\b/.test(type))
        return (html) => html.replaceAll(base, reached).replace('<head>', `<head>${standIns}`);
      // It has the addresses of the kernels' pictures.
      return at.rest.startsWith('/api/kernelspecs') ? (json) => json.replaceAll(base, reached) : undefined;
    },
  };
}
