/** A mount as a person writes it: where its bytes come from and, where it is said, its folder of the job. */
export interface WrittenMount {
  source: string;
  /** `input` for /input */
  name?: string;
}

/** Reads `SOURCE:MOUNT` or `SOURCE`; slashes around the mount don't count. @returns undefined for what is neither */
export function parseMount(text: string): WrittenMount | undefined {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return text ? { source: text } : undefined;
  const source = text.slice(0, colon);
  const name = mountName(text.slice(colon + 1));
  return source && name ? { source, name } : undefined;
}

/** `/input/` is `input`. */
export const mountName = (text: string): string => text.trim().replace(/^\/+|\/+$/g, '');

/**
 * A single source without a folder of its own is at /input.
 * @returns undefined where several have none, so that nobody knows which is where
 */
export function placeMounts(
  written: readonly WrittenMount[],
): { source: string; name: string }[] | undefined {
  if (written.filter((mount) => mount.name === undefined).length > 1) return undefined;
  return written.map(({ source, name = 'input' }) => ({ source, name }));
}

/** The same with a folder for each, to be proposed: `lab/datasets/yelp/1:yelp`. */
export const proposedMounts = (written: readonly WrittenMount[]): string[] =>
  written.map(({ source, name }) => `${source}:${name ?? nameOfSource(source)}`);

/** The last part of a source's name that is no number. */
const nameOfSource = (source: string): string =>
  source.split('/').findLast((part) => part !== '' && part !== 'output' && !/^\d+$/.test(part)) ?? 'input';
