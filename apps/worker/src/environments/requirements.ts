import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EnvironmentError } from './environment.js';

/** What a job's code asks for, sorted by what it takes to install it. */
export interface Requirements {
  /** Packages of an index and pip's options, without comments. */
  lines: string[];
  /** Of files named by -c. */
  constraints: string[];
  /** Folders and wheels of the code itself, relative to it. */
  local: string[];
  /** With --hash, pip wants a hash of everything. */
  hashed: boolean;
}

/** At the top of a job's code. */
export const requirementFiles = ['floyd_requirements.txt', 'requirements.txt'];

/** Reads the requirements a job's code brings with it. @throws EnvironmentError for a file it names that isn't there */
export function readRequirements(codeDir: string): Requirements {
  const found: Requirements = { lines: [], constraints: [], local: [], hashed: false };
  const seen = new Set<string>();
  for (const name of requirementFiles)
    if (existsSync(path.join(codeDir, name))) readFile(codeDir, name, found, seen);
  return found;
}

function readFile(codeDir: string, name: string, found: Requirements, seen: Set<string>): void {
  if (seen.has(name)) return;
  seen.add(name);
  for (const line of linesOf(codeDir, name)) {
    const [, option = '', value = ''] =
      /^(-r|--requirement|-c|--constraint|-e|--editable)[\s=]*(.+)$/.exec(line) ?? [];
    const isUrl = /^\w+:\/\//.test(value);
    if ((option === '-r' || option === '--requirement') && !isUrl) {
      readFile(codeDir, named(codeDir, name, value), found, seen);
    } else if ((option === '-c' || option === '--constraint') && !isUrl) {
      found.constraints.push(...linesOf(codeDir, named(codeDir, name, value)));
    } else if (option === '-e' || option === '--editable') {
      // The code is a copy that nobody edits: installed as it is, it outlives this job's folder.
      if (isLocal(codeDir, value)) found.local.push(localPath(codeDir, name, value));
      else found.lines.push(value);
    } else if (isLocal(codeDir, line)) {
      found.local.push(localPath(codeDir, name, line));
    } else {
      found.lines.push(line);
      found.hashed ||= /\s--hash[=\s]|^--require-hashes/.test(line);
    }
  }
}

/** Logical lines: joined where they end in a backslash, without comments, variables not replaced. */
function linesOf(codeDir: string, name: string): string[] {
  return readFileSync(path.join(codeDir, name), 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter(Boolean);
}

/** A file that another names: relative to that one, and within the code. */
function named(codeDir: string, by: string, name: string): string {
  const file = path.join(path.dirname(by), name);
  if (path.isAbsolute(name) || file.startsWith('..') || !existsSync(path.join(codeDir, file)))
    throw new EnvironmentError(
      `${by} names ${name}, which isn't in the code; is it kept back by an ignore file?`,
    );
  return file;
}

/** `.`, `./lib`, `lib/x.whl`, `file:lib`, `name @ file:lib`: anything that lies in the code, with or without [extras]. */
function isLocal(codeDir: string, line: string): boolean {
  if (/^(\.{1,2}(\/|\[|$)|\/|file:)/.test(line) || /^[\w.-]+(\[[^\]]*\])?\s*@\s*file:/.test(line))
    return true;
  return (
    /[/\\]|\.(whl|zip|tar\.gz)$/.test(line) &&
    !line.includes('://') &&
    existsSync(path.join(codeDir, plain(line)))
  );
}

const plain = (line: string): string => line.replace(/\[[^\]]*\]$/, '');

function localPath(codeDir: string, by: string, line: string): string {
  const given = line.replace(/^[\w.-]+(\[[^\]]*\])?\s*@\s*/, '').replace(/^file:(\/\/)?/, '');
  // As a job sees its code where it has a view of files of its own.
  const inside = given.replace(/^\/code(?=\/|$)/, '.');
  const file = path.join(codeDir, plain(inside));
  if (path.isAbsolute(inside) || path.relative(codeDir, file).startsWith('..') || !existsSync(file))
    throw new EnvironmentError(`${by} names ${given}, which isn't in the code`);
  return inside.startsWith('.') ? inside : `./${inside}`;
}
