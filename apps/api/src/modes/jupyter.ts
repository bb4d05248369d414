import { standIns } from '../http/stand-ins.js';
import { type ServedAddress, servedPath } from './address.js';
import type { Way } from './forward.js';
import type { ServedJob } from './jobs.js';

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
        return (html) =>
          html.replaceAll(base, reached).replace('<head>', `<head><script>${standIns}</script>`);
      // It has the addresses of the kernels' pictures.
      return at.rest.startsWith('/api/kernelspecs') ? (json) => json.replaceAll(base, reached) : undefined;
    },
  };
}
