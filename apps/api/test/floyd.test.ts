import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { jobRoutes, projectRoutes, snapshotRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FloydWorld, startFloydWorld } from './support/floyd.js';

let world: FloydWorld;
let ann: FloydWorld['ann'];
let bob: FloydWorld['bob'];
let home: string;
let ask: FloydWorld['ask'];
beforeAll(async () => {
  world = await startFloydWorld();
  ({ ann, bob, home, ask } = world);
});
afterAll(() => world?.close());

/** Without a Content-Type, as `run` sends it. */
const bytesOf = (value: object) => new Uint8Array(Buffer.from(JSON.stringify(value)));

/** A form as requests-toolbelt writes it, names as they are given. */
function form(files: [name: string, text: string][], json: string): { body: Buffer; type: string } {
  const boundary = 'e0f2a1';
  const parts = files.map(
    ([name, text]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="code"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n${text}\r\n`,
  );
  const last = `--${boundary}\r\nContent-Disposition: form-data; name="json"\r\n\r\n${json}\r\n--${boundary}--\r\n`;
  return {
    body: Buffer.from([...parts, last].join('')),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

const codeOf = (name: string, more: object = {}) =>
  JSON.stringify({ name, module_type: 'code', command: 'true', mode: 'command', ...more });

async function sendCode(key: string, files: [string, string][], json = codeOf('ann/code')) {
  const { body, type } = form(files, json);
  const answer = await ask(key, '/modules/', { method: 'POST', body, headers: { 'content-type': type } });
  return {
    status: answer.status,
    body: (await answer.json()) as { id: string; message: string; code: string },
  };
}

async function filesOf(codeId: string): Promise<string[]> {
  const { snapshotId } = JSON.parse(Buffer.from(codeId, 'base64url').toString());
  const { items } = await ann.client.call(snapshotRoutes.files, { params: { id: snapshotId }, query: {} });
  return items.map((item) => item.name);
}

describe('code in a form', () => {
  it('keeps its folders, and odd names', async () => {
    const sent = await sendCode(ann.key, [
      ['./train.py', 'print(1)'],
      ['./a/b/c.py', 'x'],
      ['./ü & "é".txt'.replaceAll('"', '%22'), 'y'],
      ['./.floydexpt', '{}'],
    ]);
    expect(sent.status, sent.body.message).toBe(200);
    expect((await filesOf(sent.body.id)).sort()).toEqual(['.floydexpt', 'a', 'train.py', 'ü & "é".txt']);
  });

  it.each([
    ['./../out.py', '".."'],
    ['./a/../../out.py', '".."'],
    ['/etc/cron.d/out', 'absolute'],
    ['..\\out.py', '".."'],
    ['./a//b', 'empty'],
    ['./', 'empty'],
    [`./${'n'.repeat(300)}`, 'longer than 255'],
  ])('refuses the name %s', async (name, why) => {
    const sent = await sendCode(ann.key, [
      ['./fine.py', 'x'],
      [name, 'x'],
    ]);
    expect(sent).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(sent.body.message).toContain(why);
  });

  it('refuses a name that stands twice, or is a file and a folder', async () => {
    for (const twice of ['./a.py', './a.py/b']) {
      const sent = await sendCode(ann.key, [
        ['./a.py', 'x'],
        [twice, 'y'],
      ]);
      expect(sent.status).toBe(400);
      expect(sent.body.message).toContain('twice');
    }
  });

  it('refuses what is no form, has no settings, or is too much, and keeps nothing of it', async () => {
    const broken = await ask(ann.key, '/modules/', {
      method: 'POST',
      body: '--x\r\nContent-Disposition: form-data; name="code"; filename="a"\r\n\r\nno end',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(broken.status).toBe(400);
    expect((await sendCode(ann.key, [['./a', 'x']], 'no json')).body.message).toContain('no JSON');
    expect((await sendCode(ann.key, [['./a', 'x']], '{}')).body.message).toContain('module_type');
    const large: [string, string][] = [1, 2].map((i) => [`./f${i}`, 'x'.repeat(60 * 1024 * 1024)]);
    const sent = await sendCode(ann.key, large);
    expect(sent.status).toBe(403);
    expect(sent.body.message).toContain('more than 100 MiB');
    const [scratch = ''] = await readdir(path.join(home, 'uploads'));
    expect(await readdir(path.join(home, 'uploads', scratch))).toEqual([]);
  });

  it('counts to the quota', async () => {
    const random = Array.from({ length: 1_600_000 }, () => randomUUID()).join('');
    const sent = await sendCode(ann.key, [['./random', random]]);
    expect(sent).toMatchObject({ status: 403, body: { code: 'quota_exceeded' } });
    expect(sent.body.message).toContain('your quota is 50.0 MB');
  });

  it('is nobody’s to bring into another’s project, or to run from another’s snapshot', async () => {
    const stranger = await sendCode(bob.key, [['./a', 'x']], codeOf('ann/code'));
    expect(stranger.status).toBe(403);
    const { body } = await sendCode(ann.key, [['./a', 'x']]);
    const stolen = await ask(bob.key, '/experiments/run_module/', {
      method: 'POST',
      body: bytesOf({ name: 'bob/mine', module_id: body.id }),
    });
    expect(stolen.status).toBe(403);
    expect(((await stolen.json()) as { message: string }).message).toContain('no code snapshot');
    const forged = await ask(ann.key, '/experiments/run_module/', {
      method: 'POST',
      body: bytesOf({ name: 'ann/code', module_id: 'forged' }),
    });
    expect(forged.status).toBe(400);
  });
});

/** A job of ann's, with no worker to take it. */
async function job(): Promise<{ id: string; name: string }> {
  const { body } = await sendCode(ann.key, [['./a', 'x']], codeOf('ann/private'));
  const answer = await ask(ann.key, '/experiments/run_module/', {
    method: 'POST',
    body: bytesOf({
      name: 'ann/private',
      module_id: body.id,
      env: 'tensorflow-1.8',
      instance_type: 'g1',
      cli_default: { command: '', description: '' },
    }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { id: string; name: string };
}

describe('a job', () => {
  it('is found by its name, with or without the owner, and by its id; FloydHub’s environments are ours', async () => {
    const { id, name } = await job();
    const number = name.split('/').at(-1);
    for (const asked of [name, `/projects/private/${number}`, id, `${name}/files`]) {
      const answer = await ask(ann.key, `/experiments/${asked}`);
      expect(answer.status, asked).toBe(200);
      expect(await answer.json()).toMatchObject({ id, name, state: 'queued', instanceType: 'g1' });
    }
    for (const asked of [randomUUID(), `${name}/nothing`, 'ann/private', 'x', '', `${name}0`]) {
      const answer = await ask(ann.key, `/experiments/${asked}`);
      expect(answer.status, asked).not.toBe(200);
      expect(((await answer.json()) as { message: string }).message).not.toBe('');
    }
    const params = { owner: 'ann', project: 'private', number: Number(number) };
    const ours = await ann.client.call(jobRoutes.get, { params });
    expect(ours).toMatchObject({ environment: 'keras-2.15', machine: 'gpu', command: 'true' });
    const events = await ann.client.call(jobRoutes.events, { params });
    expect(events.items.map((event) => event.message).join()).toContain('tensorflow-1.8 of FloydHub is');
  });

  it('is a stranger’s neither to see, stop nor delete, nor are its log and code', async () => {
    const { id, name } = await job();
    const resource = ((await (await ask(ann.key, `/modules/${name}/code`)).json()) as { resource_id: string })
      .resource_id;
    const asked: [string, string][] = [
      ['GET', `/experiments/${name}`],
      ['GET', `/experiments/${id}`],
      ['GET', `/experiments/cancel/${id}`],
      ['DELETE', `/experiments/${id}`],
      ['GET', `/taskinstances/${id}`],
      ['GET', `/modules/${name}/code`],
      ['GET', `/resources/${id}?content=true`],
      ['GET', `/resources/${resource}?content=true&download=true`],
      ['GET', `/resources/${resource}/a?content=true`],
      ['GET', `/download/artifacts/code/${id}?is_dir=true&path=`],
      ['GET', '/projects/ann/private'],
    ];
    for (const [method, url] of asked) {
      expect([403, 404], url).toContain((await ask(bob.key, url, { method })).status);
    }
    expect((await ask(ann.key, `/resources/${resource}/a?content=true`)).status).toBe(200);
    const seen = await (await ask(bob.key, '/experiments/?family_id=ann/projects/private')).text();
    expect(seen).not.toContain(name);
    expect((await ask(ann.key, `/experiments/cancel/${id}`)).status).toBe(200);
    expect(await (await ask(ann.key, `/resources/${id}?content=true`)).text()).toMatch(
      /^stopped by ann\n\[shutdown\] Task execution cancelled\n$/,
    );
  });

  it('of a public project is everybody’s to see, and its owner’s to stop', async () => {
    const { id } = await job();
    const params = { owner: 'ann', project: 'private' };
    await ann.client.call(projectRoutes.update, { params, body: { public: true } });
    expect((await ask(bob.key, `/experiments/${id}`)).status).toBe(200);
    expect((await ask(bob.key, `/experiments/cancel/${id}`)).status).toBe(403);
    await ann.client.call(projectRoutes.update, { params, body: { public: false } });
  });
});
