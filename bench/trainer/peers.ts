import os from 'node:os';
import path from 'node:path';

// What .ci/run keeps is found by itself; MYCLOUD_TFJS_NODE, MYCLOUD_TEST_KERAS2_PYTHON name others.
const kept = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'mycloud-ci');
const ours = path.join(kept, `tfjs-node-2.15-node${process.versions.node.split('.')[0]}`);

export const tfjsNode = process.env.MYCLOUD_TFJS_NODE ?? ours;
export const python = process.env.MYCLOUD_TEST_KERAS2_PYTHON ?? path.join(kept, 'venv-keras-2.15/bin/python');
/** A folder of photographs (train/, val/; 2,000 and 400 of them) for what reads pictures. */
export const photos = process.env.MYCLOUD_BENCH_PHOTOS;
export const peer = 'Keras 2.15';

/** Of all who compute: the same libtensorflow with two threads and oneDNN. */
export const env = {
  ...process.env,
  MYCLOUD_TFJS_NODE: tfjsNode,
  CUDA_VISIBLE_DEVICES: '',
  TF_ENABLE_ONEDNN_OPTS: '1',
  TF_NUM_INTRAOP_THREADS: '2',
  TF_NUM_INTEROP_THREADS: '2',
  TF_CPP_MIN_LOG_LEVEL: '3',
};

/** The two commands of the tutorial. */
const trainer = path.join(import.meta.dirname, '../../packages/trainer');
export const train = path.join(trainer, 'bin/train.mjs');
export const kerasScript = path.join(trainer, 'templates/dogsvscats/very_little_data.py');
