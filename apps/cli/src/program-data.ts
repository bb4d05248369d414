import type { Command } from 'commander';
import { json } from './program-flags.js';

const what = 'such as dogsvscats/1, lab/datasets/dogsvscats, or the output of a job: cats/12/output';
const ofFolder = 'the dataset of this folder (`data init`) unless given';

/** Adds `mycloud data …`. */
export function addDataCommands(program: Command): void {
  const data = program.command('data').description('Datasets');
  const command = (name: string, description: string): Command =>
    data
      .command(name)
      .description(description)
      .option(...json);
  command('init', 'Makes a dataset without versions yet, which is the one of this folder from now on')
    .argument('<name>')
    .action(async (name, options) => (await import('./commands/data.js')).dataInit(name, options));
  command('upload', 'Uploads a folder as the next version of a dataset, which is made if it is not there')
    .argument('[name]', ofFolder)
    .option('--dir <dir>', 'the folder', '.')
    .option('-m, --message <text>', 'what this version is about', '')
    .option('-r, --resume', 'go on with an upload that broke off, as every upload does')
    .action(async (name, options) => (await import('./commands/data.js')).dataUpload(name, options));
  command('list', 'Shows your datasets').action(async (options) =>
    (await import('./commands/data-look.js')).dataList(options),
  );
  command('status', 'Shows a dataset and its versions')
    .argument('[name]', ofFolder)
    .action(async (name, options) => (await import('./commands/data-look.js')).dataStatus(name, options));
  command('files', 'Lists what one folder of a version holds')
    .argument('<name>', what)
    .argument('[path]')
    .action(async (name, path, options) =>
      (await import('./commands/data-files.js')).dataFiles(name, path, options),
    );
  command('listfiles', 'Lists every path of a version, a folder with a slash at its end')
    .argument('<name>', what)
    .action(async (name, options) => (await import('./commands/data-files.js')).dataListFiles(name, options));
  command('get', 'Downloads a version, or one file or folder of it')
    .argument('<name>', what)
    .argument('[path]')
    .option('-o, --out <dir>', 'where to', '.')
    .action(async (name, path, options) =>
      (await import('./commands/data-files.js')).dataGet(name, path, options),
    );
  command('getfile', 'Downloads one file into this folder, under its own name')
    .argument('<name>', what)
    .argument('<path>')
    .action(async (name, path, options) =>
      (await import('./commands/data-files.js')).dataGetFile(name, path, options),
    );
  command('clone', 'Downloads a whole version into a folder of its name; run again, it goes on where it was')
    .argument('<name>', what)
    .argument('[dir]', "the folder; the dataset's name unless given")
    .option('-p, --path <path>', 'only this folder or file of it')
    .action(async (name, dir, options) =>
      (await import('./commands/data-copy.js')).dataClone(name, dir, options),
    );
  command('output', "Opens a version's page")
    .argument('[name]', ofFolder)
    .option('-u, --url', 'only print its address')
    .action(async (name, options) => (await import('./commands/data-look.js')).dataOutput(name, options));
  command('add', "Makes a job's output the next version of a dataset, which is made if it is not there")
    .argument('<job>', 'such as 12, dogsvscats/12 or lab/projects/dogsvscats/12/output')
    .argument('[name]', ofFolder)
    .option('-m, --message <text>', 'what this version is about')
    .action(async (job, name, options) =>
      (await import('./commands/data-copy.js')).dataAdd(job, name, options),
    );
  command('diff', 'Shows what differs between two versions')
    .argument('<version>', 'such as dogsvscats/2')
    .argument('[other]', 'the one it is compared to; the one before unless given')
    .action(async (version, other, options) =>
      (await import('./commands/diff.js')).dataDiff(version, other, options),
    );
  command('delete', 'Deletes versions, or datasets with all of theirs')
    .argument('<names...>')
    .option('-y, --yes', 'do not ask')
    .action(async (names, options) => (await import('./commands/data.js')).dataDelete(names, options));
}
