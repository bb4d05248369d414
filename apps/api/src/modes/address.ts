import { jobName } from '@mycloud/shared';
import type { ServedMode } from './jobs.js';

/** `/lab/projects/cats/12/serve/~PASS/predict?x=1`, taken apart. */
export interface ServedAddress {
  owner: string;
  project: string;
  number: number;
  mode: ServedMode;
  pass: string | null;
  /** What follows, with its first slash: `/predict?x=1` */
  rest: string;
}

const pattern =
  /^\/([^/]+)\/projects\/([^/]+)\/([1-9]\d{0,8})\/(jupyter|serve)(?:\/~([\w.-]+))?(\/[^#]*|\?[^#]*)?$/;

/** undefined for an address of something else. */
export function parseServedAddress(url: string): ServedAddress | undefined {
  const [, owner = '', project = '', number, mode, pass, rest = ''] = pattern.exec(url) ?? [];
  if (number === undefined) return undefined;
  return {
    owner: decodeURIComponent(owner),
    project: decodeURIComponent(project),
    number: Number(number),
    mode: mode as ServedMode,
    pass: pass ?? null,
    rest: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

/** Without a slash at its end: `/lab/projects/cats/12/serve/~PASS` */
export const servedPath = (at: Omit<ServedAddress, 'rest' | 'pass'>, pass?: string): string =>
  `/${jobName(at)}/${at.mode}${pass === undefined ? '' : `/~${pass}`}`;
