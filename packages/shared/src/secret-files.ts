import type { z } from 'zod';

type Environment = Record<string, string | undefined>;

/** What is wrong with a variable, as a configuration tells it. */
export interface WrongVariable {
  path: string;
  message: string;
}

/**
 * Settings as a program is to read them: a variable set to nothing counts as not set, and a secret NAME may stand in the
 * file that NAME_FILE names (its last line break is none of it), as Docker's and Kubernetes' secrets do.
 * @param read a file's text; throws when it can't be read
 */
export function withSecretFiles(
  given: Environment,
  secrets: readonly string[],
  read: (file: string) => string,
): { env: Environment; wrong: WrongVariable[] } {
  const env = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const wrong: WrongVariable[] = [];
  for (const name of secrets) {
    const path = `${name}_FILE`;
    const file = env[path];
    if (file === undefined) continue;
    if (env[name] !== undefined) wrong.push({ path, message: `${name} is set too: give one of the two` });
    try {
      env[name] = read(file).replace(/\r?\n$/, '');
    } catch (error) {
      wrong.push({ path, message: `${file} can't be read: ${(error as Error).message}` });
    }
  }
  return { env, wrong };
}

/**
 * Settings by a schema, secrets in files included.
 * @returns data: undefined where the schema isn't met; wrong: every wrong variable, one that couldn't be read from its file once
 */
export function readSettings<T extends z.ZodType>(
  schema: T,
  given: Environment,
  secrets: readonly string[],
  read: (file: string) => string,
): { env: Environment; data: z.output<T> | undefined; wrong: WrongVariable[] } {
  const { env, wrong } = withSecretFiles(given, secrets, read);
  const parsed = schema.safeParse(env);
  const unread = new Set(wrong.map(({ path }) => path.replace(/_FILE$/, '')));
  const issues = (parsed.error?.issues ?? [])
    .map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
    .filter(({ path }) => !unread.has(path));
  return { env, data: parsed.data, wrong: [...wrong, ...issues] };
}

/** An address with this password in it; without one it stays as it is. */
export function withPassword(address: string, password: string | undefined): string {
  if (password === undefined) return address;
  const url = new URL(address);
  url.password = encodeURIComponent(password);
  return url.href;
}
