import { existsSync } from 'node:fs';
import path from 'node:path';

const python = process.env.MYCLOUD_TEST_JUPYTER_PYTHON;
if (!python && process.env.MYCLOUD_TEST_STRICT === '1')
  throw new Error('MYCLOUD_TEST_JUPYTER_PYTHON must name a Python with jupyterlab and ipykernel');

const folder = python && path.dirname(python);

/** The folder of the program `jupyter` beside MYCLOUD_TEST_JUPYTER_PYTHON, or undefined: `describe.skipIf(!jupyterFolder)`. */
export const jupyterFolder = folder && existsSync(path.join(folder, 'jupyter')) ? folder : undefined;
