import { jobRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;
beforeAll(async () => {
  const own = {
    name: 'theano',
    description: 'the lab’s own',
    interpreter: 'python',
    requirements: ['pytensor'],
  };
  world = await startWorld({ MYCLOUD_ENVIRONMENTS: JSON.stringify([own]) });
  worker = await world.worker('w');
});
afterAll(() => world.close());

describe('a job that asks for an environment of FloydHub', () => {
  it('gets the nearest of ours, and a note of it in its life and in its log', async () => {
    const job = await world.submit({ environment: 'tensorflow-1.4:py2', command: 'python a.py' });
    expect(job.environment).toBe('keras-2.15');
    const note = /^tensorflow-1\.4:py2 of FloydHub is keras-2\.15 here: .*Python 2 isn’t there/;
    const { items } = await world.lab.call(jobRoutes.events, at(job));
    expect(items.map(({ message }) => message)).toContainEqual(expect.stringMatching(note));
    const taken = await worker.take();
    expect(taken.environment.name).toBe('keras-2.15');
    expect(taken.notes).toEqual([expect.stringMatching(note)]);
    await worker.finish(taken);
  });

  it('is refused with what to do where nothing stands for it', async () => {
    const error = await refused(world.submit({ environment: 'mxnet' }));
    expect(error).toMatchObject({ code: 'bad_request', hint: expect.stringMatching(/requirements\.txt/) });
    expect(error.message).toBe('FloydHub\'s environment "mxnet" isn\'t here');
  });

  it('gets the server’s own where its name is taken, without a note', async () => {
    const job = await world.submit({ environment: 'theano' });
    expect(job.environment).toBe('theano');
    const taken = await worker.take();
    expect(taken.notes).toEqual([]);
    await worker.finish(taken);
  });
});

describe('a Python command in an environment made for Node', () => {
  it('is told so in the log', async () => {
    await world.submit({ environment: 'tensorflow', command: 'python train.py' });
    const taken = await worker.take();
    expect(taken.notes).toEqual([expect.stringMatching(/tensorflow is made for Node.*keras-2\.15/)]);
    await worker.finish(taken);
    await world.submit({ environment: 'tensorflow', command: 'train --epochs 1' });
    const trained = await worker.take();
    expect(trained.notes).toEqual([]);
    await worker.finish(trained);
  });
});
