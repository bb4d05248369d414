import { AppError } from '@mycloud/shared';
import { expect, it } from 'vitest';
import { readConfig } from '../src/config.js';

const DATABASE_URL = 'postgres://me:secret@127.0.0.1:5432/mycloud';

/** The variables that are complained of. */
function wrong(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof AppError) return (error.errors ?? []).map((problem) => problem.path).sort();
    throw error;
  }
  return [];
}

it('needs a database and nothing else', () => {
  expect(readConfig({ DATABASE_URL })).toMatchObject({ port: 7070, embedded: false, s3: undefined });
  expect(wrong({})).toEqual(['DATABASE_URL']);
});

it('names every wrong variable at once', () => {
  const env = {
    DATABASE_URL: 'mysql://x',
    REDIS_URL: 'localhost',
    MYCLOUD_PORT: '70700',
    MYCLOUD_EMBEDDED: 'yes',
  };
  expect(wrong(env)).toEqual(['DATABASE_URL', 'MYCLOUD_EMBEDDED', 'MYCLOUD_PORT', 'REDIS_URL']);
});

it('names what an S3 store lacks', () => {
  const env = { DATABASE_URL, S3_ENDPOINT: 'minio:9000/', S3_BUCKET: 'b' };
  expect(wrong(env)).toEqual(['S3_ACCESS_KEY', 'S3_BUCKET', 'S3_SECRET_KEY']);
  expect(wrong({ DATABASE_URL, S3_ENDPOINT: 'minio' })).toContain('S3_ENDPOINT');
});

it('takes a variable set to nothing as not set', () => {
  expect(readConfig({ DATABASE_URL, REDIS_URL: '', MYCLOUD_PORT: '' })).toMatchObject({ port: 7070 });
});
