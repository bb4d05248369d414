import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AppError, readSettings, withPassword } from '@mycloud/shared';
import { asksForTraces } from '@mycloud/telemetry';
import { z } from 'zod';
import { parseSubnets } from './http/reachable.js';

const flag = z
  .enum(['0', '1', 'false', 'true'])
  .default('0')
  .transform((value) => value === '1' || value === 'true');

const s3Schema = z.object({
  endpoint: z.url(),
  publicEndpoint: z.url().optional(),
  bucket: z.string().min(3),
  accessKey: z.string().min(1),
  secretKey: z.string().min(1),
  region: z.string().default('us-east-1'),
});

/** Every variable the api reads. */
export const settings = z.object({
  MYCLOUD_HOST: z.string().default('127.0.0.1'),
  MYCLOUD_PORT: z.coerce.number().int().min(0).max(65535).default(7070),
  /** Connections at once; further ones are closed. Each is a descriptor: `ulimit -n` bounds them too. */
  MYCLOUD_MAX_CONNECTIONS: z.coerce.number().int().min(10).default(10_000),
  MYCLOUD_HOME: z.string().default(path.join(os.homedir(), '.mycloud')),
  /** What clients reach this server by; signed URLs of the directory store start with it. Default: relative to whatever they used. */
  MYCLOUD_PUBLIC_URL: z.url().optional(),
  /** This api's own address, as the other apis reach it: what only one of them can answer is handed on to it. */
  MYCLOUD_ADVERTISE_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Proxies, by address or network, whose word is taken for who asks and by which protocol: `10.0.0.0/8, 127.0.0.1`. */
  MYCLOUD_TRUSTED_PROXIES: z
    .string()
    .regex(/^[\da-fA-F.:/]+(\s*,\s*[\da-fA-F.:/]+)*$/, 'addresses or networks, such as 10.0.0.0/8, 127.0.0.1')
    .optional(),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'a postgres:// URL'),
  /** Where it doesn't stand in DATABASE_URL. */
  DATABASE_PASSWORD: z.string().optional(),
  MYCLOUD_DATABASE_CONNECTIONS: z.coerce.number().int().min(2).max(500).default(10),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'a redis:// URL')
    .optional(),
  /** Where it doesn't stand in REDIS_URL. */
  REDIS_PASSWORD: z.string().optional(),
  S3_ENDPOINT: z.string().optional(),
  /** Where users and workers reach the same store, where that is another address: signed URLs carry it. */
  S3_PUBLIC_ENDPOINT: z.string().optional(),
  S3_BUCKET: z.string().optional(),
  S3_ACCESS_KEY: z.string().optional(),
  S3_SECRET_KEY: z.string().optional(),
  S3_REGION: z.string().optional(),
  /** Embedded: --gpu runs on the CPU where no GPU is, and the job's first line says so. */
  MYCLOUD_EMBEDDED: flag,
  MYCLOUD_BOOTSTRAP_USER: z.string().optional(),
  MYCLOUD_BOOTSTRAP_PASSWORD: z.string().optional(),
  MYCLOUD_BOOTSTRAP_TOKEN: z.string().optional(),
  MYCLOUD_BOOTSTRAP_WORKER_TOKEN: z.string().optional(),
  /** Password of the Postgres role mycloud_queue, which sees the queue's tables and nothing else. */
  MYCLOUD_QUEUE_ROLE_PASSWORD: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,}$/, 'at least 16 letters, digits, "_" or "-"')
    .optional(),
  MYCLOUD_LEASE_SECONDS: z.coerce.number().min(1).max(3600).default(30),
  MYCLOUD_SWEEP_SECONDS: z.coerce.number().min(0.1).max(600).default(5),
  /** Logs of ended jobs older than this are deleted; 0 keeps them. */
  MYCLOUD_LOG_RETENTION_DAYS: z.coerce.number().min(0).default(90),
  /** Most bytes of packs of one owner, unless an admin gave him another number; not set: any number. */
  MYCLOUD_QUOTA_BYTES: z.coerce.number().int().positive().optional(),
  /** How often bytes that nothing refers to are looked for, and how long they are kept. */
  MYCLOUD_GC_SECONDS: z.coerce.number().min(1).default(3600),
  MYCLOUD_GC_GRACE_SECONDS: z.coerce.number().min(0).default(86_400),
  /** An upload of the old floyd's that nobody goes on with is kept this long. */
  MYCLOUD_UPLOAD_GRACE_SECONDS: z.coerce
    .number()
    .min(0)
    .default(7 * 86_400),
  /** Networks that URLs given by users may lead to beside the public ones: `10.0.0.0/8, 192.168.1.7`. */
  MYCLOUD_OUTGOING_ALLOW: z
    .string()
    .default('')
    .transform((list, context) => {
      try {
        return parseSubnets(list);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    }),
  /** Listens where floyd-local looks for its server too: 127.0.0.1:8080 and, for uploads, 127.0.0.1:1080. */
  MYCLOUD_FLOYD_LOCAL: flag,
  /** JSON list of machine types, or a file that holds it, replacing the built-in catalogue. */
  MYCLOUD_MACHINES: z.string().optional(),
  /** The program `tensorboard`; else the one that `mycloud env build tensorboard` made here (embedded), else PATH's. */
  MYCLOUD_TENSORBOARD: z.string().optional(),
  /** How many run at once, each for how long without a request, on how many bytes of event files, in how much memory. */
  MYCLOUD_TENSORBOARD_MAX: z.coerce.number().int().min(1).max(100).default(4),
  MYCLOUD_TENSORBOARD_IDLE_SECONDS: z.coerce.number().min(1).default(600),
  MYCLOUD_TENSORBOARD_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(2 ** 30),
  MYCLOUD_TENSORBOARD_MEMORY_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(2 * 2 ** 30),
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  /** The same of environments: added to the catalogue, or instead of the one of the same name. */
  MYCLOUD_ENVIRONMENTS: z.string().optional(),
  /** Lets who sends it read /metrics, and nothing else; an admin's token may too. */
  MYCLOUD_METRICS_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  /** From SIGTERM, when /ready says no, to when nothing more is taken: time for a proxy to ask. */
  MYCLOUD_SHUTDOWN_DELAY_SECONDS: z.coerce.number().min(0).max(300).default(0),
  /** smtp://USER:PASSWORD@HOST:587 or smtps://…; without one nobody gets e-mail. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MYCLOUD_MAIL_FROM: z.string().min(3).default(`mycloud <mycloud@${os.hostname()}>`),
  /** Wait before a notification is tried again, three times as long after each try; and when it is given up. */
  MYCLOUD_NOTIFY_RETRY_SECONDS: z.coerce.number().positive().max(3600).default(10),
  MYCLOUD_NOTIFY_GIVE_UP_SECONDS: z.coerce.number().positive().default(86_400),
  MYCLOUD_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
});

/** Those that are nobody's business; each may stand in a file that NAME_FILE names. */
export const secretSettings = [
  'DATABASE_URL',
  'DATABASE_PASSWORD',
  'REDIS_URL',
  'REDIS_PASSWORD',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'MYCLOUD_BOOTSTRAP_PASSWORD',
  'MYCLOUD_BOOTSTRAP_TOKEN',
  'MYCLOUD_BOOTSTRAP_WORKER_TOKEN',
  'MYCLOUD_QUEUE_ROLE_PASSWORD',
  'MYCLOUD_METRICS_TOKEN',
  'SMTP_URL',
] as const satisfies readonly (keyof typeof settings.shape)[];

export type Config = ReturnType<typeof readConfig>;

/** Parses the environment once; a variable set to nothing counts as not set. @throws AppError that lists every wrong variable */
export function readConfig(given: Record<string, string | undefined>) {
  const {
    env,
    data: v,
    wrong,
  } = readSettings(settings, given, secretSettings, (file) => readFileSync(file, 'utf8'));
  const { S3_ENDPOINT, S3_PUBLIC_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION } = env;
  const s3 = S3_ENDPOINT
    ? s3Schema.safeParse({
        endpoint: S3_ENDPOINT,
        publicEndpoint: S3_PUBLIC_ENDPOINT,
        bucket: S3_BUCKET,
        accessKey: S3_ACCESS_KEY,
        secretKey: S3_SECRET_KEY,
        region: S3_REGION,
      })
    : undefined;
  if (s3 && !s3.success) {
    for (const issue of s3.error.issues) {
      const name = String(issue.path[0])
        .replace(/[A-Z]/g, (c) => `_${c}`)
        .toUpperCase();
      wrong.push({ path: `S3_${name}`, message: issue.message });
    }
  }
  if (!v || wrong.length > 0) {
    throw new AppError('bad_request', 'the server cannot start with these settings', {
      errors: wrong,
      hint: 'Mend these environment variables.',
    });
  }
  return {
    host: v.MYCLOUD_HOST,
    port: v.MYCLOUD_PORT,
    maxConnections: v.MYCLOUD_MAX_CONNECTIONS,
    home: v.MYCLOUD_HOME,
    publicUrl: v.MYCLOUD_PUBLIC_URL,
    advertiseUrl: v.MYCLOUD_ADVERTISE_URL,
    trustedProxies: v.MYCLOUD_TRUSTED_PROXIES?.split(/\s*,\s*/) ?? false,
    databaseUrl: withPassword(v.DATABASE_URL, v.DATABASE_PASSWORD),
    databaseConnections: v.MYCLOUD_DATABASE_CONNECTIONS,
    redisUrl: v.REDIS_URL && withPassword(v.REDIS_URL, v.REDIS_PASSWORD),
    s3: s3?.data,
    embedded: v.MYCLOUD_EMBEDDED,
    bootstrap: {
      user: v.MYCLOUD_BOOTSTRAP_USER,
      password: v.MYCLOUD_BOOTSTRAP_PASSWORD,
      token: v.MYCLOUD_BOOTSTRAP_TOKEN,
      workerToken: v.MYCLOUD_BOOTSTRAP_WORKER_TOKEN,
    },
    queueRolePassword: v.MYCLOUD_QUEUE_ROLE_PASSWORD,
    leaseSeconds: v.MYCLOUD_LEASE_SECONDS,
    sweepSeconds: v.MYCLOUD_SWEEP_SECONDS,
    logRetentionDays: v.MYCLOUD_LOG_RETENTION_DAYS,
    quotaBytes: v.MYCLOUD_QUOTA_BYTES ?? null,
    gcSeconds: v.MYCLOUD_GC_SECONDS,
    gcGraceSeconds: v.MYCLOUD_GC_GRACE_SECONDS,
    uploadGraceSeconds: v.MYCLOUD_UPLOAD_GRACE_SECONDS,
    outgoingAllow: v.MYCLOUD_OUTGOING_ALLOW,
    floydLocal: v.MYCLOUD_FLOYD_LOCAL,
    machines: v.MYCLOUD_MACHINES,
    tensorboard: {
      program: v.MYCLOUD_TENSORBOARD,
      max: v.MYCLOUD_TENSORBOARD_MAX,
      idleSeconds: v.MYCLOUD_TENSORBOARD_IDLE_SECONDS,
      bytes: v.MYCLOUD_TENSORBOARD_BYTES,
      memoryBytes: v.MYCLOUD_TENSORBOARD_MEMORY_BYTES,
    },
    path: v.PATH,
    environments: v.MYCLOUD_ENVIRONMENTS,
    metricsToken: v.MYCLOUD_METRICS_TOKEN,
    shutdownDelaySeconds: v.MYCLOUD_SHUTDOWN_DELAY_SECONDS,
    notify: {
      smtpUrl: v.SMTP_URL,
      mailFrom: v.MYCLOUD_MAIL_FROM,
      retrySeconds: v.MYCLOUD_NOTIFY_RETRY_SECONDS,
      giveUpSeconds: v.MYCLOUD_NOTIFY_GIVE_UP_SECONDS,
    },
    /** Asked for by OpenTelemetry's own variables, which its libraries read. */
    traces: asksForTraces(env),
    logLevel: v.MYCLOUD_LOG_LEVEL,
  };
}
