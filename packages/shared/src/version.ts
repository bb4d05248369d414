/** Version of this release: of api, worker and command line alike. */
export const version = '0.1.0';

/**
 * Whether another release is too far from this one to work with it: of the same major number, neighbouring minor ones do,
 * so that a server and its workers can be brought up to date one after the other.
 * @returns how the other one is, when it is too far
 */
export function apartFrom(other: string, own = version): 'older' | 'newer' | undefined {
  const [theirs, ours] = [other, own].map(parts) as [Parts, Parts];
  if (theirs.major !== ours.major) return theirs.major < ours.major ? 'older' : 'newer';
  if (Math.abs(theirs.minor - ours.minor) <= 1) return undefined;
  return theirs.minor < ours.minor ? 'older' : 'newer';
}

interface Parts {
  major: number;
  minor: number;
}

/** What is no version at all is from before there were any. */
function parts(text: string): Parts {
  const found = /^v?(\d+)\.(\d+)\./.exec(text);
  return { major: Number(found?.[1] ?? -1), minor: Number(found?.[2] ?? -1) };
}
