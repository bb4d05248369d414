import path from 'node:path';
import type { Config } from '../config.js';
import { openDirectoryStore } from './directory.js';
import { openS3Store } from './s3.js';
import type { Store } from './store.js';

/** A bucket where S3_* names one, a directory under MYCLOUD_HOME otherwise. */
export async function openStore(config: Pick<Config, 's3' | 'home' | 'publicUrl'>): Promise<Store> {
  return config.s3
    ? openS3Store(config.s3)
    : openDirectoryStore(path.join(config.home, 'store'), config.publicUrl);
}
