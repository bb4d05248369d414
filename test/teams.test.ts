import path from 'node:path';
import { type AuditEntry, type Job, jobRoutes, type Retention, type Team } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
/** What ann's own command line is run with: another login than the admin's. */
let ann: { env: Record<string, string> };

beforeAll(async () => {
  server = await startServer();
  ann = { env: { XDG_CONFIG_HOME: path.join(server.folder, 'config-of-ann') } };
});
afterAll(() => server.remove());

const said = async (args: string[], options: Parameters<TestServer['cli']>[1] = {}) => {
  const { code, stdout, stderr } = await server.cli(args, options);
  return { code, text: stdout + stderr };
};
const audit = async (...flags: string[]) =>
  (await server.json<{ items: AuditEntry[] }>(['admin', 'audit', ...flags])).items.map(
    ({ user, action, target, outcome }) => `${user}: ${action} ${target}, ${outcome}`,
  );

describe('a lab of several people', () => {
  it('is begun by its first admin, who invites the others by a link', async () => {
    await server.json(['admin', 'team', 'create', 'vision']);
    const link = (
      await server.cli(['admin', 'invite', '--team', 'vision', '--role', 'viewer'])
    ).stdout.trim();
    expect(link).toMatch(/^http:.*\/invite#\S+$/);
    const login = ['login', '--invite', link, '--username', 'ann', '--password', 'correct horse battery'];
    const first = await said(login, ann);
    expect(first).toMatchObject({ code: 0, text: expect.stringContaining('as ann') });
    expect(first.text).toContain('into the team vision');
    expect((await said(login, ann)).text).toContain('was used already');
    expect((await said(['admin', 'invitations'])).text).toContain('taken by ann');
    expect((await said(['team', 'list'], ann)).text).toMatch(/vision +viewer +2/);
    expect((await said(['admin', 'user', 'list'], ann)).text).toContain('only an admin may do this');
  });

  it('works in a project of the team, each as his role lets him', async () => {
    const cwd = path.join(server.folder);
    expect((await said(['init', 'vision/dogs'], { cwd })).text).toContain('vision/projects/dogs was made');
    const done = await server.ended(await server.json<Job>(['run', 'echo together'], { cwd }));
    expect(done).toMatchObject({ name: 'vision/projects/dogs/1', status: 'succeeded' });
    expect((await said(['logs', done.name], ann)).text).toContain('together');
    const hers = { ...ann, cwd };
    expect((await said(['run', 'echo no'], hers)).text).toContain('you are a viewer of vision');
    expect((await said(['stop', done.name], hers)).code).toBe(1);
    expect((await said(['team', 'add', 'vision', 'ann'])).text).toContain('ann is a member of vision now');
    const { code, text } = await said(['run', 'echo hers', '--follow', '--exit-status'], hers);
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('hers') });
    expect((await said(['delete', '-y', 'vision/dogs/1'], hers)).text).toContain('you may not delete it');
    expect((await said(['delete', '-y', 'vision/dogs/2'], hers)).code).toBe(0);
    expect((await said(['team', 'add', 'vision', 'nobody'])).text).toContain('there is no user nobody');
    const shown = await said(['team', 'show', 'vision'], ann);
    expect(shown.text).toMatch(/ann +member/);
    expect(shown.text).toContain('It owns 1 project and 0 datasets');
    const { items } = await server.json<{ items: Team[] }>(['team', 'list']);
    expect(items).toMatchObject([{ name: 'vision', role: 'admin', members: 2 }]);
  });

  it('finds in the audit trail who did what, also what was refused and run inside jobs', async () => {
    const long = await server.json<Job>(['run', 'sleep 300'], { cwd: server.folder });
    const client = await server.client();
    const params = { owner: 'vision', project: 'dogs', number: long.number };
    await eventually('the job runs', async () => {
      return (await client.call(jobRoutes.get, { params })).status === 'running';
    });
    expect((await said(['exec', long.name, '--', 'true'])).code).toBe(0);
    await server.json(['stop', long.name]);
    const ofAnn = await audit('--user', 'ann', '--since', '1h');
    expect(ofAnn).toContain('ann: accept invitation ann, done');
    expect(ofAnn).toContain('ann: stop job vision/projects/dogs/1, forbidden');
    expect(ofAnn).toContain('ann: submit job vision/projects/dogs/2, done');
    const ofJob = await audit('--target', long.name);
    expect(ofJob.map((line) => line.replace(/^\S+: /, ''))).toEqual([
      `stop job ${long.name}, done`,
      `run command in job ${long.name}, done`,
      `submit job ${long.name}, done`,
    ]);
    const table = await said(['admin', 'audit', '--action', 'set member', '-n', '1']);
    expect(table.text).toMatch(/set member +vision\/nobody \(role member\) +\S+ +not found/);
    expect((await said(['admin', 'audit', '--since', 'yesterday'])).code).toBe(2);
  });

  it('keeps somebody out who left, gives a new password, and makes an admin', async () => {
    expect((await said(['admin', 'user', 'disable', 'ann'])).text).toContain('is kept out');
    expect((await said(['team', 'list'], ann)).text).toContain('disabled');
    expect((await said(['admin', 'user', 'list'])).text).toMatch(/ann +user +disabled/);
    await server.json(['admin', 'user', 'enable', 'ann']);
    expect((await said(['team', 'list'], ann)).code).toBe(0);
    expect((await said(['admin', 'user', 'password', 'ann'], { input: 'another password' })).code).toBe(0);
    const old = ['login', '--url', server.url, '-u', 'ann', '-p', 'correct horse battery'];
    expect((await said(old, ann)).text).toContain('the name or the password is wrong');
    const now = ['login', '--url', server.url, '-u', 'ann', '-p', 'another password'];
    expect((await said(now, ann)).code).toBe(0);
    await server.json(['admin', 'user', 'role', 'ann', 'admin']);
    expect((await said(['admin', 'user', 'list'], ann)).text).toMatch(/ann +admin/);
  });

  it('says how long things are kept', async () => {
    const set = await server.json<Retention>(['admin', 'retention', '--outputs', '30d', '--audit', '730']);
    expect(set).toEqual({ logs: 90, outputs: 30, metrics: null, audit: 730 });
    const shown = (await said(['admin', 'retention', '--logs', 'none'])).text;
    expect(shown).toMatch(/logs +for ever/);
    expect(shown).toMatch(/outputs +30 days/);
    expect((await said(['admin', 'retention', '--logs', '0'])).code).toBe(2);
  });
});
