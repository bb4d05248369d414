import path from 'node:path';
import { leaseSeconds } from './adversary.js';
import { minio, redisServer } from './installed.js';

/** What a program of a deployment is started with. */
export interface Spec {
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  uid?: number;
  gid?: number;
}

const root = path.resolve(import.meta.dirname, '../..');
export const secret = (name: string): string => `${name}-of-the-fault-campaign`;
export const withPort = (url: string, port: number): string => url.replace(/:\d+\//, `:${port}/`);

export const redisSpec = (port: number, dir: string): Spec => ({
  command: redisServer ?? 'redis-server',
  args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
  env: { PATH: process.env.PATH },
});

const s3User = 'tester';
const s3Password = 'tester-secret';

export const minioSpec = (port: number, dir: string): Spec => ({
  command: minio ?? 'minio',
  args: ['server', dir, '--address', `127.0.0.1:${port}`, '--quiet'],
  env: { PATH: process.env.PATH, HOME: dir, MINIO_ROOT_USER: s3User, MINIO_ROOT_PASSWORD: s3Password },
});

/** What an api is told of the MinIO that it reaches at a port. */
export const storeEnvOf = (port: number): Record<string, string> => ({
  S3_ENDPOINT: `http://127.0.0.1:${port}`,
  S3_BUCKET: 'mycloud',
  S3_ACCESS_KEY: s3User,
  S3_SECRET_KEY: s3Password,
});

export const apiSpec = (api: {
  port: number;
  home: string;
  databaseUrl: string;
  redisUrl: string | undefined;
  storeEnv: Record<string, string>;
}): Spec => ({
  command: process.execPath,
  args: [path.join(root, 'apps/api/dist/main.js')],
  env: {
    PATH: process.env.PATH,
    MYCLOUD_PORT: String(api.port),
    MYCLOUD_HOME: api.home,
    DATABASE_URL: api.databaseUrl,
    REDIS_URL: api.redisUrl,
    ...api.storeEnv,
    MYCLOUD_BOOTSTRAP_USER: 'lab',
    MYCLOUD_BOOTSTRAP_TOKEN: secret('user'),
    MYCLOUD_BOOTSTRAP_WORKER_TOKEN: secret('worker'),
    MYCLOUD_QUEUE_ROLE_PASSWORD: secret('queue'),
    MYCLOUD_LEASE_SECONDS: String(leaseSeconds),
    MYCLOUD_SWEEP_SECONDS: '0.5',
  },
});

export const workerSpec = (worker: {
  name: string;
  home: string;
  /** Of the line to the apis. */
  url: string;
  queueUrl: string;
  runner: 'bubblewrap' | 'process';
}): Spec => ({
  command: process.execPath,
  args: [path.join(root, 'apps/worker/dist/main.js')],
  env: {
    PATH: process.env.PATH,
    MYCLOUD_URL: worker.url,
    MYCLOUD_WORKER_TOKEN: secret('worker'),
    MYCLOUD_WORKER_HOME: worker.home,
    MYCLOUD_WORKER_NAME: worker.name,
    MYCLOUD_WORKER_MACHINES: 'cpu',
    MYCLOUD_RUNNER: worker.runner,
    MYCLOUD_QUEUE_URL: worker.queueUrl,
    MYCLOUD_SLOTS: '6',
    MYCLOUD_GRACE_SECONDS: '1',
    MYCLOUD_OUTPUT_SYNC_SECONDS: '2',
  },
});
