import { type Command, Option } from 'commander';
import { json } from './program-flags.js';

const home = ['--home <dir>', 'where its data lies (MYCLOUD_HOME, default ~/.mycloud)'] as const;
const roles = ['viewer', 'member', 'admin'];

/** Adds `mycloud team …`, for who is in one, and `mycloud admin …`, for who runs the server. */
export function addAdminCommands(program: Command): void {
  const admin = program.command('admin').description('For who runs the server');
  const command = commandOf(admin);
  command(
    'gc',
    'Frees what nothing refers to and the grace period has passed for; the server does so by itself',
  )
    .option('--dry-run', 'only show what would be freed')
    .action(async (options) => (await import('./commands/admin.js')).adminGc(options));
  command('limit', 'Limits what a user, or a team together, runs at the same time; further jobs wait')
    .argument('<user>', 'or a team')
    .option('--jobs <number>', 'jobs, or none for any number')
    .option('--gpus <number>', 'GPUs of all running jobs, or none for any number')
    .action(async (user, options) => (await import('./commands/admin.js')).adminLimit(user, options));
  command('quota', 'Limits what a user or a team may store')
    .argument('<user>', 'or a team')
    .argument('<bytes>', 'such as 500GB, or `none` for as the server is configured')
    .action(async (user, bytes, options) =>
      (await import('./commands/admin.js')).adminQuota(user, bytes, options),
    );
  command('retention', 'Shows for how many days things are kept, or changes it')
    .option('--logs <days>', 'logs, after their attempt ended; none for ever')
    .option('--outputs <days>', 'outputs, after their job ended, but none that something refers to')
    .option('--metrics <days>', 'metrics, after their job ended')
    .option('--audit <days>', 'entries of the audit trail')
    .action(async (options) => (await import('./commands/admin.js')).adminRetention(options));
  command('audit', 'Shows who did what, the newest last')
    .option('--user <name>', 'only of this user')
    .option('--action <words>', 'only these, such as "stop job"')
    .option('--target <text>', 'only on what has this in its name')
    .option('--since <time>', 'such as 2h, 7d, 2026-11-29 or 2026-11-29T12:00:00Z')
    .option('-n, --limit <number>', 'how many at most', '100')
    .action(async (options) => (await import('./commands/audit.js')).adminAudit(options));
  command('backup', 'Backs up a server, running or not: its database, and what is new in its store')
    .argument('<dir>', 'a folder of backups; each run adds one, and copies only what is new')
    .option(...home)
    .option('--keep <number>', 'how many backups the folder keeps; all unless given')
    .option('--verify', 'read every file of the backup again and compare it')
    .action(async (dir, options) => (await import('./commands/backup.js')).adminBackup(dir, options));
  command('restore', 'Brings a backup into an empty folder, or an empty DATABASE_URL')
    .argument('<dir>', 'the folder of backups')
    .option(...home)
    .option('--from <name>', 'which of them; the newest unless given')
    .action(async (dir, options) => (await import('./commands/backup.js')).adminRestore(dir, options));
  addInvitations(admin);
  addUsers(admin);
  addTeams(admin, program);
}

const commandOf =
  (parent: Command) =>
  (name: string, description: string): Command =>
    parent
      .command(name)
      .description(description)
      .option(...json);

function addInvitations(admin: Command): void {
  const command = commandOf(admin);
  command('invite', 'Prints a link by which somebody becomes a user, once')
    .option('--admin', 'an admin of the server')
    .option('--team <name>', 'and a member of this team')
    .addOption(new Option('--role <role>', 'as what in the team').choices(roles).default('member'))
    .option('--days <number>', 'how long the link is good', '7')
    .option('-m, --message <text>', 'for whom it is')
    .action(async (options) => (await import('./commands/invitations.js')).adminInvite(options));
  command('invitations', 'Shows the invitations, taken and open').action(async (options) =>
    (await import('./commands/invitations.js')).adminInvitations(options),
  );
  command('uninvite', 'Ends an invitation that nobody has taken yet')
    .argument('<id>', 'as `admin invitations` shows it')
    .action(async (id, options) => (await import('./commands/invitations.js')).adminUninvite(id, options));
}

function addUsers(admin: Command): void {
  const command = commandOf(admin.command('user').description('Users'));
  command('list', 'Shows the users').action(async (options) =>
    (await import('./commands/users.js')).userList(options),
  );
  command('role', 'Makes a user an admin of the server, or not')
    .argument('<user>')
    .addArgument(admin.createArgument('<role>').choices(['user', 'admin']))
    .action(async (user, role, options) =>
      (await import('./commands/users.js')).userChange(user, { role }, options),
    );
  command('disable', 'Keeps a user out with all his tokens; what he owns stays')
    .argument('<user>')
    .action(async (user, options) =>
      (await import('./commands/users.js')).userChange(user, { disabled: true }, options),
    );
  command('enable', 'Lets a disabled user in again')
    .argument('<user>')
    .action(async (user, options) =>
      (await import('./commands/users.js')).userChange(user, { disabled: false }, options),
    );
  command(
    'password',
    'Gives a user a new password, asked for or read from stdin, and logs him out on the page',
  )
    .argument('<user>')
    .action(async (user, options) => (await import('./commands/users.js')).userPassword(user, options));
}

function addTeams(admin: Command, program: Command): void {
  const ofAdmin = commandOf(admin.command('team').description('Makes and deletes teams'));
  ofAdmin('create', 'Makes a team')
    .argument('<team>')
    .option('--admin <user>', 'its first admin; you unless given')
    .action(async (team, options) => (await import('./commands/teams.js')).teamCreate(team, options));
  ofAdmin('delete', 'Deletes a team that owns no project and no dataset')
    .argument('<team>')
    .option('-y, --yes', 'do not ask')
    .action(async (team, options) => (await import('./commands/teams.js')).teamDelete(team, options));

  const command = commandOf(program.command('team').description('Teams, which own projects and datasets'));
  command('list', 'Shows your teams; to an admin of the server, all').action(async (options) =>
    (await import('./commands/teams.js')).teamList(options),
  );
  command('show', 'Shows who is in a team, as what, and what it stores')
    .argument('<team>')
    .action(async (team, options) => (await import('./commands/teams.js')).teamShow(team, options));
  command('add', 'Takes a user into a team, or changes what he is there (its admins)')
    .argument('<team>')
    .argument('<user>')
    .addOption(
      new Option('--role <role>', 'viewers read; members submit and upload too; admins also delete')
        .choices(roles)
        .default('member'),
    )
    .action(async (team, user, options) =>
      (await import('./commands/teams.js')).teamAdd(team, user, options),
    );
  command('remove', 'Takes a user out of a team (its admins), or yourself')
    .argument('<team>')
    .argument('<user>')
    .action(async (team, user, options) =>
      (await import('./commands/teams.js')).teamRemove(team, user, options),
    );
}
