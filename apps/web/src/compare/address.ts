import type { JobRef } from '@mycloud/shared/browser';

/** More lines can't be told apart, nor their columns read. */
export const mostCompared = 24;

/** Reads `user/projects/p/1,user/projects/p/2`: each job once; what names none is left out. */
export function readJobs(text: string): JobRef[] {
  const refs = [...new Set(text.split(','))].flatMap((name): JobRef[] => {
    const match = /^([^/]+)\/projects\/([^/]+)\/([1-9]\d{0,8})$/.exec(name.trim());
    return match ? [{ owner: match[1]!, project: match[2]!, number: Number(match[3]) }] : [];
  });
  return refs.slice(0, mostCompared);
}

/** Where these jobs are compared. */
export const compareAddress = (names: readonly string[]): string => `/compare?jobs=${names.join(',')}`;
