import { buildProgram } from '../../apps/cli/src/program.js';

type Command = ReturnType<typeof buildProgram>;

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');

function commandText(command: Command, path: string): string[] {
  if (command.commands.length > 0) {
    return command.commands
      .filter((one) => !(one as { _hidden?: boolean })._hidden)
      .flatMap((one) => commandText(one, `${path} ${one.name()}`));
  }
  const help = command.createHelp();
  const lines = [`## ${path}`, command.description(), `\`\`\`\n${path} ${command.usage()}\n\`\`\``];
  const aliases = command.aliases();
  if (aliases.length > 0) lines.push(`Also: ${aliases.map((name) => `\`${name}\``).join(', ')}.`);
  const rows = [
    ...help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ...help
      .visibleOptions(command)
      .filter((one) => one.long !== '--help')
      .map((one) => [help.optionTerm(one), help.optionDescription(one)]),
  ];
  if (rows.length > 0) {
    const table = rows.map(
      ([term = '', text = '']) => `| \`${term.replaceAll('|', '\\|')}\` | ${cell(text)} |`,
    );
    lines.push(['| | |', '| --- | --- |', ...table].join('\n'));
  }
  return [lines.filter(Boolean).join('\n\n')];
}

/** The reference of the command line as Markdown: what each command's --help says, from the same definitions. */
export function cliText(): string {
  const head =
    "# Command line\n\nWhat `mycloud COMMAND --help` says of each command. Data go to stdout, progress and hints to stderr; `--json` gives data to programs. Exit codes: 0, 1 error, 2 usage, 4 not logged in. Words of floyd, `mycloud.yml`, copying and completion: [floyd's commands, and ours](docs/commands.md).";
  return [head, ...commandText(buildProgram(), 'mycloud')].join('\n\n');
}
