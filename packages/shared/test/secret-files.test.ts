import { expect, it } from 'vitest';
import { withPassword, withSecretFiles } from '../src/index.js';

const files: Record<string, string> = {
  '/run/secrets/key': 'of the store\n',
  '/run/secrets/lines': 'a\nb\n\n',
};
const read = (file: string): string => {
  if (files[file] === undefined) throw new Error('ENOENT');
  return files[file];
};

it('reads a secret from the file that is named, without its last line break', () => {
  const given = { S3_KEY_FILE: '/run/secrets/key', TOKEN_FILE: '/run/secrets/lines', OTHER: 'x', EMPTY: '' };
  expect(withSecretFiles(given, ['S3_KEY', 'TOKEN', 'UNSET'], read)).toEqual({
    env: { ...given, EMPTY: undefined, S3_KEY: 'of the store', TOKEN: 'a\nb\n' },
    wrong: [],
  });
});

it('tells a file that can’t be read, and a secret that is given twice', () => {
  const given = { A_FILE: '/nowhere', B_FILE: '/run/secrets/key', B: 'too' };
  expect(withSecretFiles(given, ['A', 'B'], read).wrong).toEqual([
    { path: 'A_FILE', message: "/nowhere can't be read: ENOENT" },
    { path: 'B_FILE', message: 'B is set too: give one of the two' },
  ]);
});

it('puts a password into an address, whatever is in it', () => {
  const address = withPassword('postgres://mycloud@db:5432/mycloud?sslmode=require', 'p@ss/w:rd');
  expect(address).toBe('postgres://mycloud:p%40ss%2Fw%3Ard@db:5432/mycloud?sslmode=require');
  expect(withPassword('redis://cache:6379', 'x')).toBe('redis://:x@cache:6379');
  expect(withPassword('redis://cache:6379', undefined)).toBe('redis://cache:6379');
});
