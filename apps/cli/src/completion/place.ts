import type { Argument, Command, Option } from 'commander';

/** Where in a command line a word stands. */
export interface Place {
  command: Command;
  /** The flag whose value it is. */
  option?: Option;
  /** The argument it is. */
  argument?: Argument;
  /** What there is of the word. */
  typed: string;
  /** What stands before it in the same word: `--env=`. */
  prefix: string;
}

/** bash takes `a:b` and `--a=b` for three words each: they are one again. */
export function joinWords(words: readonly string[]): string[] {
  const joined: string[] = [];
  let glue = false;
  for (const word of words) {
    const isBreak = word === ':' || word === '=';
    if (joined.length > 0 && (isBreak || glue)) joined.push(joined.pop() + word);
    else joined.push(word);
    glue = isBreak;
  }
  return joined;
}

/** Walks through the words as the program would read them, to the last one. */
export function place(program: Command, words: readonly string[]): Place {
  let command = program;
  let given = 0;
  let option: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (option) option = undefined;
    else if (word.startsWith('-') && word !== '-') option = takesNext(command, word);
    else {
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (next) {
        command = next;
        given = 0;
      } else given += 1;
    }
  }
  const last = words.at(-1) ?? '';
  if (option) return { command, option, typed: last, prefix: '' };
  const [, flag, typed = ''] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  const valued = flag === undefined ? undefined : optionOf(command, flag);
  if (valued) return { command, option: valued, typed, prefix: `${flag}=` };
  return { command, argument: argumentAt(command, given), typed: last, prefix: '' };
}

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find((one) => one.long === flag || one.short === flag);

/** The flag, when the next word is its value. */
function takesNext(command: Command, word: string): Option | undefined {
  const option = optionOf(command, word);
  return option?.required ? option : undefined;
}

function argumentAt({ registeredArguments: all }: Command, given: number): Argument | undefined {
  const last = all.at(-1);
  return all[given] ?? (last?.variadic ? last : undefined);
}
