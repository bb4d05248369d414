import { execFileSync } from 'node:child_process';

/** An environment variable of what a test can't do without. @throws Error when it isn't set and MYCLOUD_TEST_STRICT=1 */
export function wantSetting(name: string, what: string): string | undefined {
  const value = process.env[name];
  if (value === undefined && process.env.MYCLOUD_TEST_STRICT === '1') {
    throw new Error(`${name} must name ${what}; .ci/run makes one`);
  }
  return value;
}

/** The real ones, each a Python of its own; those that aren't here are undefined. */
export const kerasPythons = {
  'Keras 2.15': wantSetting('MYCLOUD_TEST_KERAS2_PYTHON', 'a Python with tensorflow-cpu 2.15.1'),
  'Keras 3': wantSetting('MYCLOUD_TEST_KERAS3_PYTHON', 'a Python with tensorflow-cpu 2.21'),
};

/** Runs a script of this folder; its answer is the last line it prints. */
export function askKeras<T>(python: string, script: string, args: string[], input: unknown): T {
  const answer = execFileSync(python, [script, ...args], {
    encoding: 'utf8',
    input: JSON.stringify(input),
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' },
  });
  return JSON.parse(answer.trim().split('\n').at(-1)!) as T;
}
