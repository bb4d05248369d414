import { describe, expect, it } from 'vitest';
import {
  AppError,
  createJobBody,
  mountNameSchema,
  nameSchema,
  nearest,
  parseJobRef,
  parseSourceRef,
} from '../src/index.js';

describe('a mount names its source in every form people type', () => {
  const dataset = (owner: string, name: string, number?: number) => ({
    kind: 'dataset',
    owner,
    name,
    number,
  });
  const output = (owner: string, number: number) => ({ kind: 'output', owner, name: 'cats', number });
  it.each([
    ['lab/datasets/dogsvscats/1', dataset('lab', 'dogsvscats', 1)],
    ['lab/datasets/dogsvscats', dataset('lab', 'dogsvscats')],
    ['lab/dogsvscats/2', dataset('lab', 'dogsvscats', 2)],
    ['lab/dogsvscats', dataset('lab', 'dogsvscats')],
    ['dogsvscats/3', dataset('me', 'dogsvscats', 3)],
    ['dogsvscats', dataset('me', 'dogsvscats')],
    ['lab/projects/cats/12/output', output('lab', 12)],
    ['lab/projects/cats/12/output/', output('lab', 12)],
    ['lab/projects/cats/12', output('lab', 12)],
    ['lab/cats/12/output', output('lab', 12)],
    ['cats/12/output', output('me', 12)],
  ])('%s', (text, expected) => {
    expect(parseSourceRef(text, 'me')).toEqual(expected);
  });

  it.each([
    '',
    'lab/projects/cats',
    'lab/projects/cats/12/code',
    'cats/twelve/output',
    'lab/datasets/',
    'a/b/c/d/e/f',
    'lab/datasets/d/zero',
    'lab/datasets/d/0',
  ])('says how to write it instead of %j', (text) => {
    expect(() => parseSourceRef(text, 'me')).toThrowError(AppError);
  });
});

describe('a job is named in full or within its project', () => {
  it.each(['lab/projects/cats/12', 'lab/cats/12', 'cats/12', '12'])('%s', (text) => {
    expect(parseJobRef(text, { owner: 'lab', project: 'cats' })).toEqual({
      owner: 'lab',
      project: 'cats',
      number: 12,
    });
  });

  it('asks which project a bare number means', () => {
    expect(() => parseJobRef('12', { owner: 'lab' })).toThrowError(/which project/);
  });
});

describe('names', () => {
  it('are lower-case and short', () => {
    expect(nameSchema.safeParse('dogs-vs.cats_2').success).toBe(true);
    for (const bad of ['Dogs', '-x', '', 'a'.repeat(64), 'a/b', '..'])
      expect(nameSchema.safeParse(bad).success, bad).toBe(false);
  });

  it.each([
    ['Dogs', 'dogs'],
    ['Dogs vs Cats', 'dogs-vs-cats'],
    ['_private', 'private'],
  ])('%j is answered with the one that would do', (bad, good) => {
    expect(nameSchema.safeParse(bad).error?.issues[0]?.message).toContain(`"${good}" would do`);
  });
  it('without a letter have none that would do', () => {
    expect(nameSchema.safeParse('???').error?.issues[0]?.message).not.toContain('would do');
  });

  it('are suggested when mistyped', () => {
    expect(nearest('dogsvcats', ['birds', 'dogsvscats', 'mnist'])).toEqual(['dogsvscats']);
    expect(nearest('zzzzzz', ['birds', 'dogsvscats'])).toEqual([]);
  });

  it("of mounts leave the job's and the system's folders alone", () => {
    expect(mountNameSchema.safeParse('input').success).toBe(true);
    for (const bad of ['output', 'code', 'etc', 'a/b', '..', ''])
      expect(mountNameSchema.safeParse(bad).success, bad).toBe(false);
  });
});

describe('a job that breaks the schema', () => {
  it('hears of every problem at once', () => {
    const { error } = createJobBody.safeParse({
      command: ' ',
      mounts: [
        { source: 'a', name: 'input' },
        { source: 'b', name: 'input' },
        { source: 'c', name: 'etc' },
      ],
      retries: -1,
    });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual(
      expect.arrayContaining(['command', 'mounts.2.name', 'retries']),
    );
  });

  it('hears that a mount is given twice', () => {
    const { error } = createJobBody.safeParse({
      command: 'x',
      mounts: [
        { source: 'a', name: 'input' },
        { source: 'b', name: 'input' },
      ],
    });
    expect(error?.issues[0]?.message).toMatch(/mounted twice/);
  });
});
