import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A Python with tensorflow-cpu 2.15.1; undefined where there is none, which CI doesn't allow. */
export const python = process.env.MYCLOUD_TEST_KERAS2_PYTHON;
if (python === undefined && process.env.MYCLOUD_TEST_STRICT === '1') {
  throw new Error('MYCLOUD_TEST_KERAS2_PYTHON must name a Python with tensorflow-cpu 2.15.1');
}

/** Runs a script of this folder; what its last line says, as JSON. */
export async function askKeras<T>(script: string, args: string[]): Promise<T> {
  const env = {
    ...process.env,
    TF_CPP_MIN_LOG_LEVEL: '3',
    CUDA_VISIBLE_DEVICES: '',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(python!, [file, ...args], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
}
