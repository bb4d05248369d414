import { existsSync } from 'node:fs';
import path from 'node:path';

const python = process.env.MYCLOUD_TEST_TENSORBOARD_PYTHON;
if (!python && process.env.MYCLOUD_TEST_STRICT === '1')
  throw new Error('MYCLOUD_TEST_TENSORBOARD_PYTHON must name a Python with tensorboard');

const beside = python && path.join(path.dirname(python), 'tensorboard');

/** The program `tensorboard` beside MYCLOUD_TEST_TENSORBOARD_PYTHON, or undefined: `describe.skipIf(!tensorboard)`. */
export const tensorboard = beside && existsSync(beside) ? beside : undefined;
