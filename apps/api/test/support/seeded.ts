import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type Assignment,
  type Client,
  datasetRoutes,
  jobRoutes,
  projectRoutes,
  tokenRoutes,
  workerRoutes,
} from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { type RunningApi, startApiAlone } from './api.js';

/** What is in the api: names to put into the addresses of routes. */
export interface Seeded {
  api: RunningApi;
  /** Owns all of it; the descriptions' examples are about him. */
  labToken: string;
  /** A user who has nothing. */
  eveToken: string;
  /** Of an admin who owns nothing. */
  rootToken: string;
  workerToken: string;
  /** Of another worker, which holds no lease. */
  idleToken: string;
  workerId: string;
  snapshotId: string;
  /** lab/projects/dogsvscats/1, which runs on the worker. Job 2 has ended; 3, 4 (a Jupyter) and 5 (a server) wait. */
  running: Assignment;
  ended: Assignment;
  close(): Promise<void>;
}

const project = { owner: 'lab', project: 'dogsvscats' };

/** An api with a project, a dataset, a job in each state and a worker, as the examples in the routes' descriptions name them. */
export async function startSeededApi(env: Record<string, string> = {}): Promise<Seeded> {
  const api = await startApiAlone({ MYCLOUD_EMBEDDED: '1', ...env });
  const tokenOf = async (client: Client): Promise<string> =>
    (await client.call(tokenRoutes.create, { body: { name: 'test' } })).token;
  const lab = await api.user('lab');
  const [labToken, eveToken, rootToken] = [
    await tokenOf(lab),
    await tokenOf(await api.user('eve')),
    await tokenOf(api.admin),
  ];
  const [workerToken, idleToken] = [await api.workerToken(), await api.workerToken()];
  const snapshotId = await uploadFiles(lab);

  await lab.call(projectRoutes.create, { body: { name: project.project } });
  await lab.call(datasetRoutes.create, { body: { name: 'dogsvscats' } });
  await lab.call(datasetRoutes.addVersion, {
    params: { owner: 'lab', dataset: 'dogsvscats' },
    body: { snapshotId },
  });
  const worker = api.as(workerToken);
  const { workerId } = await worker.call(workerRoutes.register, {
    body: {
      name: 'box',
      version: '0.1.0',
      runner: 'process',
      machines: ['cpu'],
      cores: 8,
      memoryBytes: 2 ** 34,
      gpus: 0,
    },
  });
  const claim = async (): Promise<Assignment> => {
    const body = { workerId, machines: ['cpu'] };
    const { assignment } = await worker.call(workerRoutes.claim, { body });
    if (!assignment) throw new Error('there was no job to claim');
    return assignment;
  };
  const submit = (mode: 'command' | 'jupyter' | 'serve' = 'command') =>
    lab.call(jobRoutes.create, {
      params: project,
      body: {
        command: mode === 'jupyter' ? 'jupyter lab' : 'train',
        mode,
        ...(mode === 'jupyter' && { environment: 'jupyter' }),
        mounts: [{ source: 'lab/datasets/dogsvscats/1', name: 'input' }],
      },
    });
  const now = new Date().toISOString();
  await worker.call(workerRoutes.heartbeat, {
    body: {
      workerId,
      attempts: [],
      environments: [
        {
          id: 'python-0',
          environment: 'keras-3',
          packages: [],
          bytes: 1,
          builtAt: now,
          usedAt: now,
          inUse: false,
        },
      ],
    },
  });
  await submit();
  const running = await claim();
  await begin(worker, running);
  await submit();
  const ended = await claim();
  await begin(worker, ended);
  await worker.call(workerRoutes.finish, {
    params: { jobId: ended.jobId },
    body: {
      attempt: ended.attempt,
      fence: ended.fence,
      reason: 'exit_zero',
      detail: '',
      exitCode: 0,
      outputSnapshotId: snapshotId,
      lastSeq: 2,
    },
  });
  await submit();
  await submit('jupyter');
  await submit('serve');
  return {
    ...{ api, labToken, eveToken, rootToken, workerToken, idleToken, workerId, snapshotId, running, ended },
    close: () => api.close(),
  };
}

async function uploadFiles(client: Client): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-seed-'));
  try {
    await writeFile(path.join(dir, 'a.txt'), 'cats and dogs\n');
    await writeFile(path.join(dir, 'b.json'), '{"n": 1}\n');
    return (await uploadFolder({ client, dir })).snapshotId;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** It runs, has said two lines and measured something. */
async function begin(worker: Client, { jobId, attempt, fence }: Assignment): Promise<void> {
  const params = { jobId };
  const held = { attempt, fence };
  const time = Date.now();
  await worker.call(workerRoutes.status, { params, body: { ...held, status: 'running' } });
  const lines = ['epoch 1', 'epoch 2'].map((text) => ({ time, source: 'job' as const, text }));
  await worker.call(workerRoutes.logs, { params, body: { ...held, firstSeq: 1, lines } });
  await worker.call(workerRoutes.metrics, {
    params,
    body: { ...held, batchId: randomUUID(), points: [{ name: 'val_acc', step: 1, time, value: 0.75 }] },
  });
}
