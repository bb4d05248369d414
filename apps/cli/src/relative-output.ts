/** `output/x` as a word of a command, perhaps quoted, after `=`, or below `./`. */
const relative = /(?:^|[\s='"(,:])((?:\.\/)?output\/[^\s'")>;&|]*)/g;

/**
 * Paths in a command that lie in an `output` folder beside the code, which isn't kept, and not in /output.
 * @returns each once, with what was probably meant
 */
export function relativeOutputs(command: string): { written: string; meant: string }[] {
  const found = new Set(Array.from(command.matchAll(relative), (match) => match[1]!));
  return [...found].map((written) => ({ written, meant: `/${written.replace(/^\.\//, '')}` }));
}
