import { chmod, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';

interface Found {
  about: 'client' | 'machine' | 'server';
  name: string;
  state: 'ok' | 'note' | 'problem';
  text: string;
  hint?: string;
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { MYCLOUD_LEASE_SECONDS: '1' } });
});
afterAll(() => server.remove());

async function doctor(): Promise<{
  code: number;
  findings: Found[];
  of: (name: string) => Found | undefined;
}> {
  const { code, stdout, stderr } = await server.cli(['doctor', '--json']);
  expect(stderr).toBe('');
  const { findings } = JSON.parse(stdout) as { findings: Found[] };
  // Whatever is not well says how to mend it.
  for (const { name, state, hint } of findings) if (state !== 'ok') expect(hint, name).toMatch(/\w/);
  return { code, findings, of: (name) => findings.find((one) => one.name === name) };
}
const config = () => path.join(path.dirname(server.home), 'config/mycloud/config.json');

it('finds a server well, and everything it stands on', async () => {
  const found = await eventually('the sweep has run', async () => {
    const looked = await doctor();
    return looked.code === 0 && looked;
  });
  const names = found.findings.filter(({ about }) => about === 'server').map(({ name }) => name);
  expect(names).toEqual([
    ...[
      'Server',
      'Clock',
      'You',
      'Database',
      'Migrations',
      'Database clock',
      'Queue',
      'Store',
      "Server's disk",
      'Mail',
    ],
    ...['Workers', 'Leases', 'Jobs that wait', 'Schedules', 'Notifications', 'Environments'],
  ]);
  expect(found.of('Store')?.text).toMatch(/^a directory: wrote, read and deleted 64 KiB in \d+ ms$/);
  expect(found.of('Workers')?.text).toBe('1 worker here with 0 jobs');
  expect(found.of('Login')).toMatchObject({ about: 'client', state: 'ok' });
  const { stdout } = await text();
  expect(stdout).toMatch(/^This command line\n✓ Node /);
});
const text = () => server.cli(['doctor']);

it('exits with 1 and names what is wrong: a login that others can read, a store that is away', async () => {
  await chmod(config(), 0o644);
  const login = await doctor();
  expect(login.code).toBe(1);
  expect(login.of('Login')).toMatchObject({ state: 'problem', hint: expect.stringContaining('chmod 600') });
  await chmod(config(), 0o600);

  const store = path.join(server.home, 'store');
  await rename(store, `${store}-away`);
  const away = await doctor();
  expect(away.code).toBe(1);
  expect(away.of('Store')?.state).toBe('problem');
  await rename(`${store}-away`, store);
  expect((await doctor()).of('Store')?.state).toBe('ok');
});

it('says that the server is away, and what to do', async () => {
  await server.stop();
  const { code, of } = await doctor();
  expect(code).toBe(1);
  expect(of('Server')).toMatchObject({ state: 'problem', hint: expect.stringContaining('mycloud up') });
  await server.restart();
});
