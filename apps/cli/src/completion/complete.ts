import type { Argument, Command, Option } from 'commander';
import { print, printJson } from '../output.js';
import type { Candidate } from './candidate.js';
import { joinWords, place } from './place.js';

/**
 * Prints what the last word may become, a line each, `VALUE<tab>DESCRIPTION`. Says nothing of failures: a shell that completes
 * must not be disturbed.
 * @param words of the line after `mycloud`, the last being the one that is typed ('' for a new one)
 */
export async function complete(
  program: Command,
  words: string[],
  { json }: { json?: boolean },
): Promise<void> {
  const found = await candidates(program, joinWords(words)).catch(() => []);
  if (json) return printJson(found);
  for (const { value, about } of found) print(about ? `${value}\t${about}` : value);
}

async function candidates(program: Command, words: string[]): Promise<Candidate[]> {
  const { command, option, argument, typed, prefix } = place(program, words);
  const startsSo = ({ value }: Candidate) => value.startsWith(typed);
  if (option) {
    const values = await valuesOf(command, option, typed);
    return values.filter(startsSo).map((one) => ({ ...one, value: prefix + one.value }));
  }
  if (typed.startsWith('-')) return flagsOf(command).filter(startsSo);
  const visible = command.createHelp().visibleCommands(command);
  if (visible.length > 0)
    return visible.map((one) => ({ value: one.name(), about: one.description() })).filter(startsSo);
  return argument ? (await valuesOf(command, argument, typed)).filter(startsSo) : [];
}

const flagsOf = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ value: option.long ?? option.short ?? '', about: option.description }));

/** What a flag or an argument may be, by its choices or its name. */
async function valuesOf(command: Command, asked: Option | Argument, typed: string): Promise<Candidate[]> {
  if (asked.argChoices) return asked.argChoices.map((value) => ({ value }));
  const names = await import('./names.js');
  const group = command.parent?.name();
  switch (asked.name()) {
    case 'env':
      return names.environments();
    case 'machine':
      return names.machines();
    case 'task':
      return names.tasks();
    case 'data':
      return names.datasets(typed);
    case 'job':
    case 'jobs':
    case 'other':
    case 'others':
      return names.jobs();
    case 'version':
      return names.datasets(typed);
    case 'name':
    case 'names':
      if (group === 'env') return names.environments();
      if (group === 'data') return names.datasets(typed);
      return command.name() === 'init' ? names.projects() : [];
    default:
      return [];
  }
}
