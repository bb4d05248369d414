import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { z } from 'zod';

const secretsSchema = z.object({
  /** The first user's name. */
  user: z.string(),
  token: z.string(),
  workerToken: z.string(),
  /** Of the database's owner. */
  databasePassword: z.string(),
  /** Of the role that the worker takes tickets with. */
  queuePassword: z.string(),
});
export type Secrets = z.infer<typeof secretsSchema>;

/**
 * The secrets of a home, made at its first start; readable by their owner alone.
 * @param user the first user's name, where they are made; as the system calls who runs it, unless given
 */
export async function openSecrets(home: string, user?: string): Promise<Secrets> {
  const file = path.join(home, 'secrets.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text !== undefined) {
    try {
      return secretsSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('bad_request', `${file} is damaged, and the database can't be opened without it`, {
        cause,
        hint: 'Restore it from a backup of the folder, or start with another one by --home.',
      });
    }
  }
  const secret = () => randomBytes(24).toString('base64url');
  const secrets: Secrets = {
    user: user ?? validName(os.userInfo().username),
    token: `myc_${secret()}`,
    workerToken: `myc_${secret()}`,
    databasePassword: secret(),
    queuePassword: secret(),
  };
  await writeFile(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
  return secrets;
}

/** The system's user name as a name of mycloud's: "Ann Müller" is ann-m-ller. */
function validName(name: string): string {
  const valid = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return valid || 'me';
}
