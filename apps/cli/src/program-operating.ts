import type { Command } from 'commander';
import { json, once } from './program-flags.js';

/** Adds what runs jobs by the clock, and what tells people of their end. */
export function addOperatingCommands(program: Command, settingFlags: (command: Command) => Command): void {
  const under = (group: Command) => (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option(...json);

  const schedule = program.command('schedule').description('Jobs that are submitted again and again');
  const scheduleCommand = under(schedule);
  const which = 'its name in the project of this folder, or owner/projects/project/name';
  settingFlags(
    scheduleCommand('create', "Uploads this folder's code and submits a command on it by the clock")
      .argument('[command...]', 'the command, as one quoted text; the one of mycloud.yml unless given')
      .requiredOption(
        '--cron <times>',
        'such as "0 3 * * *": minute, hour, day, month, weekday; or @daily',
        once('--cron'),
      ),
  )
    .option('--name <name>', 'schedule-1, schedule-2 … unless given')
    .option(
      '--tz <zone>',
      'the time zone the times are in, such as Europe/Berlin; the one of this machine unless given',
    )
    .option('--overlap <what>', 'while its last job has not ended: skip that time, or queue another', 'skip')
    .option('--task <name>', 'a task of mycloud.yml', once('--task'))
    .action(async (words, options) =>
      (await import('./commands/schedule-create.js')).scheduleCreate(words, options),
    );
  scheduleCommand(
    'list',
    'Shows your schedules, when they run next, and what came of their last times',
  ).action(async (options) => (await import('./commands/schedule.js')).scheduleList(options));
  scheduleCommand('info', 'Shows a schedule and its last runs')
    .argument('<schedule>', which)
    .action(async (name, options) => (await import('./commands/schedule.js')).scheduleInfo(name, options));
  scheduleCommand('pause', 'Submits nothing until it is resumed')
    .argument('<schedule>', which)
    .action(async (name, options) =>
      (await import('./commands/schedule.js')).schedulePause(name, true, options),
    );
  scheduleCommand('resume', 'Goes on; times that passed are not made up for')
    .argument('<schedule>', which)
    .action(async (name, options) =>
      (await import('./commands/schedule.js')).schedulePause(name, false, options),
    );
  scheduleCommand('run', 'Submits its job now, beside its times')
    .argument('<schedule>', which)
    .action(async (name, options) => (await import('./commands/schedule.js')).scheduleRun(name, options));
  scheduleCommand('delete', 'Deletes a schedule; the jobs it submitted stay')
    .argument('<schedule>', which)
    .option('-y, --yes', 'do not ask')
    .action(async (name, options) => (await import('./commands/schedule.js')).scheduleDelete(name, options));

  const notify = program.command('notify').description('Who hears of the end of your jobs');
  const notifyCommand = under(notify);
  const address = 'https://HOST/PATH, slack:https://HOST/PATH or name@host';
  notifyCommand('add', 'Adds an address that hears of the end of all your jobs, or of those of one project')
    .argument('<address>', address)
    .option('--project <name>', 'only of the jobs of this project')
    .option('--on <ends>', 'only of these ends, such as failed,timed_out')
    .action(async (to, options) => (await import('./commands/notify.js')).notifyAdd(to, options));
  notifyCommand('list', 'Shows the addresses, and which of them fail').action(async (options) =>
    (await import('./commands/notify.js')).notifyList(options),
  );
  notifyCommand('remove', 'Removes an address')
    .argument('<address>', 'or the id that `notify list` shows')
    .action(async (which, options) => (await import('./commands/notify.js')).notifyRemove(which, options));
  notifyCommand('enable', 'Sends again to an address that was disabled after long failure')
    .argument('<address>', 'or its id')
    .action(async (which, options) => (await import('./commands/notify.js')).notifyEnable(which, options));
  notifyCommand('test', 'Sends a test to an address and says what it answered')
    .argument('<address>', address)
    .action(async (to, options) => (await import('./commands/notify.js')).notifyTest(to, options));
  notifyCommand('log', 'Shows what was sent, is to be sent again, or was given up')
    .option('--state <state>', 'only pending, delivered or failed')
    .option('--limit <n>', 'so many of the newest', '20')
    .action(async (options) => (await import('./commands/notify.js')).notifyLog(options));
  notifyCommand('secret', 'Shows the secret that webhooks to an address are signed with')
    .argument('<address>', 'https://HOST/PATH')
    .option('--rotate', 'makes new secrets, for all of your addresses')
    .action(async (to, options) => (await import('./commands/notify.js')).notifySecret(to, options));
}
