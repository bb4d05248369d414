import { version } from '@mycloud/shared/browser';
import { type Command, Option } from 'commander';
import { json } from './program-flags.js';

/** Adds what looks into jobs and takes things out of them, and what a shell needs. */
export function addLookingCommands(program: Command): void {
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option(...json);
  command('why', 'Says why a job waits or died, and what to do')
    .argument('[job]', "the newest of this folder's project unless given")
    .action(async (job, options) => (await import('./commands/why.js')).why(job, options));
  command('compare', 'Shows what differs between jobs: command, settings, code, data, metrics')
    .argument('<job>')
    .argument('<others...>')
    .option('--all', 'also what is the same')
    .action(async (job, others, options) =>
      (await import('./commands/compare.js')).compare([job, ...others], options),
    );
  command('clone', 'Downloads the code of a job as it ran')
    .argument('<job>')
    .argument('[dir]', 'the folder; PROJECT-NUMBER unless given')
    .option('-p, --path <path>', 'only this folder or file of it')
    .action(async (job, dir, options) => (await import('./commands/clone.js')).clone(job, dir, options));
  command('cp', 'Copies a file or folder out of a job or a dataset, or into a dataset as its next version')
    .argument(
      '<source>',
      'JOB:/output/PATH, JOB:/code/PATH, JOB:/MOUNT/PATH, DATASET/1:/PATH, or a path here',
    )
    .argument('<target>', 'a path here, or DATASET:/PATH')
    .option('-m, --message <text>', 'into a dataset: what this version is about')
    .action(async (source, target, options) =>
      (await import('./commands/cp.js')).copy(source, target, options),
    );
  command('completion', 'Prints what lets a shell complete commands, flags and names')
    .addArgument(shellArgument(program))
    .action(async (shell, options) => (await import('./commands/completion.js')).completion(shell, options));
  command('upgrade', 'Compares this program with the server, and says how to bring it up to date').action(
    async (options) => (await import('./commands/upgrade.js')).upgrade(version, options),
  );
  // What the shells' scripts call; words of the line so far, the last being the one to complete.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .addOption(new Option(...json).hideHelp())
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words, options) =>
      (await import('./completion/complete.js')).complete(program, words, options),
    );
}

const shellArgument = (program: Command) =>
  program.createArgument('<shell>', 'which').choices(['bash', 'zsh', 'fish']);
