import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AppError } from '@mycloud/shared';
import { expect, it } from 'vitest';
import { openCatalogue } from '../src/catalogue.js';

const open = (environments: unknown) =>
  openCatalogue({
    machines: undefined,
    environments: typeof environments === 'string' ? environments : JSON.stringify(environments),
  });

const refusal = (environments: unknown): AppError => {
  try {
    open(environments);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

it('environments of the configuration are added, or stand instead of a built-in one', () => {
  const catalogue = open([
    { name: 'lab', python: '/opt/conda/envs/lab/bin/python' },
    { name: 'keras-2.15', image: 'tensorflow/tensorflow:2.15.0-gpu' },
  ]);
  expect(catalogue.environment('lab')).toMatchObject({ interpreter: 'python', requirements: [] });
  expect(catalogue.environment('keras-2.15').image).toBe('tensorflow/tensorflow:2.15.0-gpu');
  expect(catalogue.environments.filter(({ name }) => name === 'keras-2.15')).toHaveLength(1);
  expect(catalogue.environment('python3').interpreter).toBe('python');
});

it('they may stand in a file', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mycloud-catalogue-'));
  const file = path.join(folder, 'environments.json');
  writeFileSync(file, JSON.stringify([{ name: 'lab', interpreter: 'python', requirements: ['numpy'] }]));
  expect(open(file).environment('lab').requirements).toEqual(['numpy']);
  writeFileSync(file, '[{"name": "lab"');
  expect(refusal(file).message).toMatch(/^MYCLOUD_ENVIRONMENTS can't be read: .*JSON/);
  rmSync(folder, { recursive: true });
  expect(refusal(file).message).toMatch(/no such file/);
});

it('every wrong entry is named at the start, with what is wrong', () => {
  const { errors } = refusal([
    { name: 'lab', python: 'python3' },
    { name: 'Über', interpreter: 'python' },
    { name: 'empty' },
    { name: 'twice', interpreter: 'python', requirments: [] },
  ]);
  const said = errors?.map(({ path: at, message }) => `${at}: ${message}`).join('\n');
  expect(said).toMatch(/^\[0\] lab\.python: the absolute path of an interpreter/m);
  expect(said).toMatch(/^\[1\] Über\.name: use lower-case letters/m);
  expect(said).toMatch(/^\[3\] twice: .*requirments/m);
  expect(refusal([{ name: 'empty' }]).errors).toEqual([
    { path: '[0] empty', message: 'it needs `python`, an `interpreter` or an `image`' },
  ]);
  const same = { name: 'lab', interpreter: 'python' };
  expect(refusal([same, same]).errors).toEqual([{ path: '[1] lab.name', message: 'lab is there twice' }]);
});
