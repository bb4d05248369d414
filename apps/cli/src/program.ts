import { version } from '@mycloud/shared/browser';
import { Command, Option } from 'commander';
import { addAdminCommands } from './program-admin.js';
import { addDataCommands } from './program-data.js';
import { collect, json, once } from './program-flags.js';
import { addLookingCommands } from './program-looking.js';
import { addOperatingCommands } from './program-operating.js';

const quoted =
  'A command with flags of its own belongs into quotes: mycloud run "python train.py --lr 0.1". See mycloud run --help.';
const newest = "the newest of this folder's project unless given";

/** What is asked of a job, whoever submits it. */
const settingFlags = (command: Command): Command =>
  command
    .option(
      '--data <source:mount>',
      'mounts a dataset or an output at /MOUNT (/input unless said); may be given more than once',
      collect,
    )
    .option('--gpu', 'on a machine with a GPU')
    .option('--gpu2', 'on a machine with two GPUs')
    .option('--cpu', 'on a machine without (the default)')
    .option('--cpu2', 'on a larger one without')
    .option('--machine <name>', "on any other of the server's machines", once('--machine'))
    .addOption(new Option('--gpu+').hideHelp())
    .addOption(new Option('--cpu+').hideHelp())
    .option('--env <name>', 'the environment', once('--env'))
    .option(
      '--var <name=value>',
      'an environment variable of its own; NAME takes the value it has here',
      collect,
    )
    .option('--tensorboard', 'event files under /output are shown by TensorBoard')
    .option('--no-tensorboard', 'without TensorBoard')
    .option('-m, --message <text>', 'what this run is about')
    .option('--tag <word>', 'a tag to find it by; may be given more than once', collect)
    .addOption(
      new Option(
        '--mode <mode>',
        'a command (`job`); JupyterLab; or a web server that listens on $PORT',
      ).choices(['command', 'job', 'jupyter', 'serve']),
    )
    .option('--idle <time>', 'end a Jupyter that nobody has used for so long (default 1h), or none')
    .option('-r, --max-runtime <time>', 'stop it after this long: seconds, or 90s, 30m, 2h')
    .option('--retries <n>', 'try again this often when the command fails')
    .option(
      '--notify <address>',
      'tell https://…, slack:https://… or name@host of its end; may be given more than once',
      collect,
    );

/** What `run` and `restart` share. */
const jobFlags = (command: Command): Command =>
  settingFlags(command)
    .option('-f, --follow', 'follow its log')
    .option('--open', 'open its page, or print the link where there is no screen')
    .option('--no-open', 'open nothing')
    .option('--exit-status', 'with --follow: exit as the job did');

/** Every command and its flags; what a command does is loaded when it is called, so that `mycloud version` stays quick. */
export function buildProgram(): Command {
  const program = new Command('mycloud')
    .description('Runs deep-learning jobs on your own machines.')
    .option('--no-color', 'no colours')
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('Run `mycloud --help` or `mycloud COMMAND --help` to see what there is.')
    .exitOverride();
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option(...json);

  command('up', 'Starts a server on this machine: database, api and one worker')
    .option('--port <port>', 'where it listens; 0 takes any free one', '7070')
    .option('--host <address>', 'which address it listens on', '127.0.0.1')
    .option('--home <dir>', 'where its data lies (MYCLOUD_HOME, default ~/.mycloud)')
    .addOption(
      new Option('--runner <name>', 'how jobs are isolated')
        .choices(['auto', 'bubblewrap', 'process', 'docker', 'slurm'])
        .default('auto'),
    )
    .option(
      '--floyd-local',
      'listens where the old floyd-local looks for its server, too (ports 8080 and 1080)',
    )
    .action(async (options) => (await import('./up/up.js')).up(options));
  command('login', 'Logs in to a server')
    .option('--url <url>', 'the server')
    .option('--token [token]', 'a token; without one, or with `-`, it is asked for or read from stdin')
    .option('-k, --apikey <token>', 'the same, as floyd called it')
    .option('-u, --username <name>', 'log in by name and password')
    .option('-p, --password <password>', 'the password, where it may stand in a command line')
    .option('--invite <link>', 'become a user by an invitation; --username says under which name')
    .option('--home <dir>', 'log in to the server that runs here on this folder')
    .action(async (options) => (await import('./commands/login.js')).login(options));
  command('logout', 'Forgets the saved login').action(async (options) =>
    (await import('./commands/login.js')).logout(options),
  );
  command('doctor', 'Checks this machine, and says how to mend it').action(async (options) =>
    (await import('./commands/doctor.js')).doctor(options),
  );
  command('version', 'Prints the version').action((options: { json?: boolean }) => {
    process.stdout.write(options.json ? `${JSON.stringify({ version })}\n` : `${version}\n`);
  });

  command('init', 'Makes this folder belong to a project, which is made if it is not there')
    .argument('<name>')
    .option('--template <name>', 'begin with the files of a template, such as dogsvscats')
    .action(async (name, options) => (await import('./commands/init.js')).init(name, options));
  jobFlags(
    command('run', "Uploads this folder's code and runs a command on it").argument(
      '[command...]',
      'the command, as one quoted text; the one of mycloud.yml unless given',
    ),
  )
    .showHelpAfterError(quoted)
    .option('--task <name>', 'a task of mycloud.yml', once('--task'))
    .option(
      '--sweep <name=values>',
      'a job for each value, such as lr=0.001,0.0003, which stands for {lr} in the command; more of them are multiplied',
      collect,
    )
    .option('-y, --yes', 'do not ask before a sweep of many jobs')
    .option('--local', 'here and now, without a server; --data may name a folder: ./photos:input')
    .option('--out <dir>', 'with --local: where /output is (output, or output-2, …)')
    .addOption(
      new Option('--runner <name>', 'with --local: how it is isolated').choices([
        'auto',
        'bubblewrap',
        'process',
        'docker',
      ]),
    )
    .action(async (words, options) => (await import('./commands/run.js')).run(words, options));
  jobFlags(
    command('restart', 'Runs a job again with the same code, changed where you say so')
      .argument('<job>')
      .argument('[command...]', 'another command, as one quoted text'),
  )
    .showHelpAfterError(quoted)
    .option('--no-data', 'without its mounts')
    .option('--no-tags', 'without its tags')
    .option('--no-notify', 'without the addresses that it told of its end')
    .option('--drop-var <name>', 'without this environment variable of its own', collect)
    .action(async (job, words, options) =>
      (await import('./commands/restart.js')).restart(job, words, options),
    );
  command('sweep', 'Shows the jobs of a sweep, the best first; without a name, the sweeps of this folder')
    .argument('[sweep]', 'as `run --sweep` named it')
    .option('--metric <name>', 'the metric they are ordered by')
    .option('--by <which>', 'its best value or its last', 'best')
    .option('-f, --follow', 'go on until all have ended')
    .option('--stop', 'stop those that have not ended')
    .action(async (name, options) => (await import('./commands/sweep.js')).sweep(name, options));
  command('tag', 'Puts tags on a job')
    .argument('<job>')
    .argument('<tags...>')
    .option('-d, --delete', 'takes them off')
    .action(async (job, tags, options) => (await import('./commands/label.js')).tag(job, tags, options));
  command('note', 'Writes the note of a job, in place of what it was')
    .argument('<job>')
    .argument('<text...>', 'an empty one takes the note away')
    .action(async (job, words, options) => (await import('./commands/label.js')).note(job, words, options));
  command('status', "Shows the jobs of this folder's project, or one job")
    .argument('[job]')
    .option('-w, --watch', 'go on, drawn anew when something changes; of one job, until it ends')
    .action(async (job, options) => (await import('./commands/status.js')).status(job, options));
  command('info', 'Shows everything about a job')
    .argument('[job]', newest)
    .action(async (job, options) => (await import('./commands/info.js')).info(job, options));
  command('logs', 'Prints the log of a job')
    .argument('[job]', newest)
    .option('-f, --follow', 'go on until the job ends')
    .option('-t, --tail [n]', 'follow as floyd did; with a number: only the last lines')
    .option('-u, --url', "only print the address of the log's page")
    .option('--exit-status', 'with --follow: exit as the job did')
    .action(async (job, options) => (await import('./commands/logs.js')).logs(job, options));
  command('exec', 'Runs a command, or a shell, inside a running job: mycloud exec JOB -- COMMAND')
    .argument('<job>')
    .argument('[command...]', 'after `--`; a shell unless given')
    .action(async (job, words, options) => (await import('./commands/exec.js')).exec(job, words, options));
  command('stop', 'Stops a job; its output is kept')
    .argument('[job]', newest)
    .action(async (job, options) => (await import('./commands/jobs.js')).stop(job, options));
  command('delete', 'Deletes ended jobs with their logs and output')
    .argument('<jobs...>')
    .option('-y, --yes', 'do not ask')
    .action(async (jobs, options) => (await import('./commands/jobs.js')).remove(jobs, options));
  command('output', 'Downloads what a job wrote to /output')
    .argument('[job]', newest)
    .argument('[path]', 'one file or folder of it')
    .option('-u, --url', 'only print the address of the page of its files')
    .option('-o, --out <dir>', 'where to', '.')
    .option('--list', 'only show what there is')
    .action(async (job, path, options) => (await import('./commands/output.js')).output(job, path, options));
  command('diff', 'Shows what differs between the code of two jobs')
    .argument('<job>')
    .argument('<other>')
    .option('--output', 'compare what they wrote to /output')
    .action(async (job, other, options) => (await import('./commands/diff.js')).jobDiff(job, other, options));
  command('open', 'Prints a link that opens the page logged in as you, and opens it where there is a screen')
    .argument('[job]', "a job's own page")
    .option('--no-browser', 'only print it')
    .action(async (job, options) => (await import('./commands/open.js')).open(job, options));
  command('worker', 'Runs jobs of a server on this machine, which nobody has to reach: it calls the server')
    .option('--server <url>', 'the server (MYCLOUD_URL, or the one you are logged in to)')
    .option(
      '--token <token>',
      'as `mycloud workers add` made it; `-` reads it from stdin (MYCLOUD_WORKER_TOKEN)',
    )
    .option('--name <name>', "what it is called; the machine's name unless given")
    .option('--home <dir>', 'where its jobs and caches lie (MYCLOUD_WORKER_HOME, default ~/.mycloud-worker)')
    .option('--machines <names>', 'what it offers, such as cpu,gpu; what fits it unless given')
    .addOption(
      new Option('--runner <name>', 'how jobs are isolated (MYCLOUD_RUNNER)').choices([
        'auto',
        'bubblewrap',
        'process',
        'docker',
      ]),
    )
    .action(async (options) => (await import('./commands/worker.js')).worker(options));
  command(
    'workers',
    'Shows the workers, what they offer and run. For admins: add makes the line that starts one more elsewhere, drain lets one take nothing new, remove takes one away',
  )
    .argument('[add|drain|undrain|remove]')
    .argument('[name]', 'the worker')
    .option('--force', 'with remove: also one that runs jobs, which are tried again by others')
    .action(async (verb, name, options) =>
      (await import('./commands/workers.js')).workers(verb, name, options),
    );
  command('queue', 'Shows who waits, in the order they are taken, and why')
    .option('-w, --watch', 'go on, drawn anew when something changes')
    .action(async (options) => (await import('./commands/queue.js')).queue(options));
  addLookingCommands(program);

  const environments = program.command('env').description('Environments: what a job finds');
  const environmentCommand = (name: string, description: string): Command =>
    environments
      .command(name)
      .description(description)
      .option(...json);
  environmentCommand('list', 'Shows the environments').action(async (options) =>
    (await import('./commands/env.js')).envList(options),
  );
  environmentCommand('show', 'Shows what an environment is made of')
    .argument('<name>')
    .action(async (name, options) => (await import('./commands/env.js')).envShow(name, options));
  environmentCommand('build', 'Builds an environment on a worker, so that no job has to wait for it')
    .argument('<name>')
    .action(async (name, options) => (await import('./commands/env.js')).envBuild(name, options));

  environmentCommand('delete', 'Has workers remove what they built of it; what is in use stays (admins)')
    .argument('<name>', 'of the environment, or an id that `env show` tells')
    .option('--worker <name>', 'on this worker only')
    .option('-y, --yes', 'do not ask')
    .action(async (name, options) => (await import('./commands/env.js')).envDelete(name, options));

  addDataCommands(program);
  addOperatingCommands(program, settingFlags);

  addAdminCommands(program);

  const token = program.command('token').description('Tokens');
  const tokenCommand = (name: string, description: string): Command =>
    token
      .command(name)
      .description(description)
      .option(...json);
  tokenCommand('create', 'Makes a token and prints it this once')
    .argument('[name]', 'what it is for', 'cli')
    .option('--worker', 'for a worker (admins)')
    .option('--days <n>', 'it ends after this many days')
    .action(async (name, options) => (await import('./commands/token.js')).tokenCreate(name, options));
  tokenCommand('list', 'Shows your tokens').action(async (options) =>
    (await import('./commands/token.js')).tokenList(options),
  );
  tokenCommand('revoke', 'Ends a token at once')
    .argument('<id>')
    .action(async (id, options) => (await import('./commands/token.js')).tokenRevoke(id, options));
  return program;
}
