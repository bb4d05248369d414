import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Check } from './checks.js';

const leastFreeBytes = 5e9;

export const checkQueue: Check = {
  name: 'Queue',
  hint: 'Is Redis running, and is REDIS_URL right? Jobs are taken without it, some seconds later.',
  async look({ tickets }) {
    const began = performance.now();
    await tickets.check();
    const where = tickets.backend === 'redis' ? 'Redis' : 'Postgres';
    return {
      state: 'ok',
      text: `BullMQ on ${where}, answered in ${(performance.now() - began).toFixed(0)} ms`,
    };
  },
};

export const checkStore: Check = {
  name: 'Store',
  hint: 'Look whether the bucket is there and its keys may write (S3_*), or whether the folder can be written to and has room.',
  async look({ store }) {
    const key = `checks/${randomBytes(12).toString('hex')}`;
    const bytes = randomBytes(64 * 1024);
    const began = performance.now();
    await store.put(key, bytes, bytes.length);
    try {
      const back = await buffer(await store.get(key));
      if (!back.equals(bytes)) throw new Error('it gave back other bytes than it was given');
    } finally {
      await store.delete(key);
    }
    const kind = store.kind === 's3' ? 'the bucket' : 'a directory';
    return {
      state: 'ok',
      text: `${kind}: wrote, read and deleted 64 KiB in ${(performance.now() - began).toFixed(0)} ms`,
    };
  },
};

export const checkDisk: Check = {
  name: "Server's disk",
  hint: 'Is MYCLOUD_HOME a folder that the api may read?',
  async look({ config, store }) {
    const { bavail, bsize, blocks } = await statfs(config.home);
    const free = bavail * bsize;
    const text = `${(free / 1e9).toFixed(1)} of ${((blocks * bsize) / 1e9).toFixed(1)} GB free for ${config.home}`;
    // With a bucket only scratch files lie here.
    const least = store.kind === 's3' ? leastFreeBytes / 5 : leastFreeBytes;
    if (free >= least) return { state: 'ok', text };
    return {
      state: free < least / 10 ? 'problem' : 'note',
      text,
      hint: 'Free what nothing refers to (mycloud admin gc), delete old jobs and versions, or give it a larger disk.',
    };
  },
};

export const checkMail: Check = {
  name: 'Mail',
  hint: 'Look at SMTP_URL: smtp://USER:PASSWORD@HOST:587, and whether that host may be reached from here.',
  async look({ config }) {
    const { smtpUrl, mailFrom } = config.notify;
    if (!smtpUrl) return { state: 'ok', text: 'none is sent: SMTP_URL is not set' };
    const { createTransport } = await import('nodemailer');
    const transport = createTransport(smtpUrl, {});
    try {
      await transport.verify();
    } finally {
      transport.close();
    }
    return { state: 'ok', text: `${new URL(smtpUrl).host} takes it, from ${mailFrom}` };
  },
};
