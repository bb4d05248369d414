/** A command as a person reads it: what runs, and its flags with what each is given. */
export interface CommandParts {
  /** What is no flag, in order. */
  program: string;
  /** By name as written (`--lr`, `-b`, `model.lr` of `model.lr=0.1`); a flag given nothing is 'on', one given often has all. */
  flags: Map<string, string>;
}

const isNumber = (word: string): boolean => /^-?\d*\.?\d+(e[-+]?\d+)?$/i.test(word);

/** Splits off the flags. A command of several (`a && b`, `a | b`) stays whole: whose flags they are isn't to be told. */
export function commandParts(command: string): CommandParts {
  const words = splitWords(command);
  if (!words) return { program: command, flags: new Map() };
  const program: string[] = [];
  const flags = new Map<string, string>();
  const give = (name: string, value: string) =>
    flags.set(name, flags.has(name) ? `${flags.get(name)}, ${value}` : value);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const pair = /^(-{0,2}[A-Za-z_][\w.-]*)=(.*)$/s.exec(word);
    if (pair) give(pair[1] as string, pair[2] as string);
    else if (/^--?[A-Za-z]/.test(word)) {
      const next = words[i + 1];
      const taken = next !== undefined && (!next.startsWith('-') || isNumber(next));
      give(word, taken ? next : 'on');
      if (taken) i += 1;
    } else program.push(word);
  }
  return { program: program.join(' '), flags };
}

/** The words as a shell takes them; undefined where it is more than one simple command. */
function splitWords(command: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < command.length; i++) {
    const char = command[i] as string;
    if (char === "'" || char === '"') {
      const end = closing(command, i);
      if (end < 0) return undefined;
      const inside = command.slice(i + 1, end);
      word = (word ?? '') + (char === '"' ? inside.replace(/\\(["\\$`])/g, '$1') : inside);
      i = end;
    } else if (char === '\\') {
      i += 1;
      if (command[i] !== '\n') word = (word ?? '') + (command[i] ?? '');
    } else if (/[\n;&|<>()`]/.test(char)) return undefined;
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Where the quote that opens at `start` closes; -1: nowhere. */
function closing(text: string, start: number): number {
  const quote = text[start];
  for (let i = start + 1; i < text.length; i++) {
    if (quote === '"' && text[i] === '\\') i += 1;
    else if (text[i] === quote) return i;
  }
  return -1;
}
