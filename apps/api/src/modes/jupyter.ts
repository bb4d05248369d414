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

/** A Jupyter was started below its job's address; in its pages and redirects the pass comes into it. */
export function jupyterWay(job: ServedJob, at: ServedAddress): Omit<Way, 'held'> {
  const base = `${servedPath(at)}/`;
  const reached = `${servedPath(at, at.pass ?? undefined)}/`;
  return {
    path: base.slice(0, -1) + at.rest,
    prefix: reached.slice(0, -1),
    headers: {
      authorization: `token ${job.jupyterToken}`,
      // Its pages are read on their way.
      'accept-encoding': 'identity',
    },
    location: (address) => address.replaceAll(base, reached),
    page: (html) => html.replaceAll(base, reached).replace('<head>', `<head>${standIns}`),
  };
}
