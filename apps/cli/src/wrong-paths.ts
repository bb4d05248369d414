/** A path a command names that is not where its bytes are, and what was probably meant. */
interface WrongPath {
  written: string;
  meant: string;
  why: string;
}

/** `output/x` as a word of a command, perhaps quoted, after `=`, or below `./`. */
const relative = /(?:^|[\s='"(,:])((?:\.\/)?output\/[^\s'")>;&|]*)/g;
/** Where FloydHub's later years had the mounts; here, as in its first ones, each is at its own name. */
const floydInput = /(?:^|[\s='"(,:])(\/floyd\/input\/[^\s'")>;&|]+)/g;

/** Paths in a command that lie in an `output` folder beside the code, which isn't kept, or where FloydHub had its mounts; each once. */
export function wrongPaths(command: string): WrongPath[] {
  const found = (rule: RegExp) => [...new Set(Array.from(command.matchAll(rule), (match) => match[1]!))];
  return [
    ...found(relative).map((written) => ({
      written,
      meant: `/${written.replace(/^\.\//, '')}`,
      why: 'is a path beside the code, and only /output is kept',
    })),
    ...found(floydInput).map((written) => ({
      written,
      meant: written.slice('/floyd/input'.length),
      why: 'was where FloydHub had it; here a mount is at its own name',
    })),
  ];
}
