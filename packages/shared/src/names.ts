import { z } from 'zod';
import { AppError } from './errors.js';

/** Names of users, projects and datasets: they stand in URLs and folders. */
const nameRule = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const nameSchema = z.string().regex(nameRule, {
  error: ({ input }) => {
    const rule =
      'use lower-case letters, digits, ".", "_" and "-" (at most 63), starting with a letter or digit';
    const near = allowedName(String(input));
    return near === undefined ? rule : `${rule}: "${near}" would do`;
  },
});

/** The nearest name that is allowed, such as `dogs-vs-cats` for `Dogs vs Cats`; undefined where nothing is left of it. */
export function allowedName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
    .slice(0, 63);
  return nameRule.test(name) ? name : undefined;
}

/** Folders of a job that a mount may not take, because the job or the system owns them. */
const reservedMounts = [
  'output',
  'code',
  'bin',
  'dev',
  'etc',
  'home',
  'lib',
  'lib64',
  'proc',
  'root',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr',
  'var',
];

/** A mount is one top-level folder of the job: `input` is at /input. */
export const mountNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'a mount is one folder name of letters, digits, ".", "_" and "-"',
  )
  .refine((name) => !reservedMounts.includes(name), {
    error: ({ input }) =>
      `/${input} would be hidden by it: that folder belongs to the job or the system; choose another, such as "input"`,
  });

export interface SourceRef {
  kind: 'dataset' | 'output';
  owner: string;
  name: string;
  /** Dataset version or job number; undefined: the latest. */
  number?: number;
}

export interface JobRef {
  owner: string;
  project: string;
  number: number;
}

export const jobName = (job: JobRef): string => `${job.owner}/projects/${job.project}/${job.number}`;
export const datasetName = (owner: string, name: string, version?: number): string =>
  `${owner}/datasets/${name}${version === undefined ? '' : `/${version}`}`;

/**
 * Reads where a mount's bytes come from: `lab/datasets/d/1`, `lab/datasets/d`, `d`, `d/1`, `lab/d/1`, `lab/projects/p/12/output`,
 * `lab/p/12/output`, `p/12/output`, and `lab/projects/p/12` for its output, as floyd took it.
 * @param text what the person typed, without the `:mount` part
 * @param defaultOwner whose it is when no owner is named
 */
export function parseSourceRef(text: string, defaultOwner: string): SourceRef {
  const parts = text.replace(/^\/+|\/+$/g, '').split('/');
  const fail = () =>
    new AppError('bad_request', `"${text}" doesn't name a dataset or a job's output`, {
      hint: 'Write it as OWNER/datasets/NAME/VERSION, NAME/VERSION, NAME, OWNER/projects/NAME/JOB/output or NAME/JOB/output.',
    });
  const number = (digits: string | undefined): number | undefined => {
    if (digits === undefined) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(digits)) throw fail();
    return Number(digits);
  };
  const [a = '', b, c, d, e] = parts;
  if (parts.length > 5 || a === '') throw fail();
  if (b === 'projects') {
    if (!c || !d || (e !== undefined && e !== 'output')) throw fail();
    return { kind: 'output', owner: a, name: c, number: number(d) };
  }
  if (b === 'datasets') {
    if (!c || e !== undefined) throw fail();
    return { kind: 'dataset', owner: a, name: c, number: number(d) };
  }
  if (e === undefined && d === 'output' && b && c)
    return { kind: 'output', owner: a, name: b, number: number(c) };
  if (d !== undefined) throw fail();
  if (c === 'output' && b) return { kind: 'output', owner: defaultOwner, name: a, number: number(b) };
  if (c !== undefined && b) return { kind: 'dataset', owner: a, name: b, number: number(c) };
  if (b !== undefined && /^\d+$/.test(b))
    return { kind: 'dataset', owner: defaultOwner, name: a, number: number(b) };
  if (b) return { kind: 'dataset', owner: a, name: b };
  return { kind: 'dataset', owner: defaultOwner, name: a };
}

/**
 * Reads a job's name: `lab/projects/p/12`, `lab/p/12`, `p/12`, or `12` in the current project.
 * @throws AppError bad_request when it names none
 */
export function parseJobRef(text: string, defaults: { owner: string; project?: string }): JobRef {
  const parts = text
    .replace(/^\/+|\/+$/g, '')
    .split('/')
    .filter((part, i) => !(i === 1 && part === 'projects'));
  const last = parts.at(-1) ?? '';
  if (!/^[1-9]\d{0,8}$/.test(last) || parts.length > 3) {
    throw new AppError('bad_request', `"${text}" doesn't name a job`, {
      hint: 'Write it as OWNER/projects/NAME/NUMBER, NAME/NUMBER or NUMBER.',
    });
  }
  const number = Number(last);
  const project = parts.length > 1 ? parts.at(-2) : defaults.project;
  if (!project) {
    throw new AppError('bad_request', `job ${number} of which project?`, {
      hint: 'Run `mycloud init NAME` in this folder, or write OWNER/projects/NAME/NUMBER.',
    });
  }
  return { owner: parts.length > 2 ? (parts[0] as string) : defaults.owner, project, number };
}

/** The names nearest to a mistyped one (edit distance at most a third of its length, or a shared beginning), best first, at most three. */
export function nearest(name: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(
      ({ candidate, distance }) => distance <= Math.max(2, name.length / 3) || candidate.startsWith(name),
    )
    .sort((x, y) => x.distance - y.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
