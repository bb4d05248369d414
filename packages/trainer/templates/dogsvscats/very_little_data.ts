// A small ConvNet that tells cats from dogs, after "Building powerful image classification models using very little
// data" (F. Chollet, the Keras blog, 2016). Reads /input/train and /input/val, in each one folder per class.
//
//     mycloud run --data NAME:input --gpu --tensorboard "train very_little_data.ts --logdir /output/Graph"
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  activation,
  backupAndRestore,
  conv2d,
  dense,
  dropout,
  flatten,
  imageDataGenerator,
  maxPooling2d,
  metricLines,
  sequential,
  tensorBoard,
} from '@mycloud/trainer';

const { values } = parseArgs({
  options: { logdir: { type: 'string', default: 'Graph' }, epochs: { type: 'string', default: '100' } },
});

const input = process.env.MYCLOUD_INPUT ?? '/input';
const output = process.env.MYCLOUD_OUTPUT ?? '/output';
const logDir = path.resolve(output, values.logdir.replace(/^\/output\/?/, ''));

const [imgHeight, imgWidth] = [150, 150];
const trainSamples = 2000;
const validationSamples = 400;
const batchSize = 32;

const model = sequential([
  conv2d({ filters: 32, kernelSize: [3, 3], inputShape: [imgHeight, imgWidth, 3] }),
  activation('relu'),
  maxPooling2d({ poolSize: [2, 2] }),

  conv2d({ filters: 32, kernelSize: [3, 3] }),
  activation('relu'),
  maxPooling2d({ poolSize: [2, 2] }),

  conv2d({ filters: 64, kernelSize: [3, 3] }),
  activation('relu'),
  maxPooling2d({ poolSize: [2, 2] }),

  flatten(),
  dense({ units: 64 }),
  activation('relu'),
  dropout(0.5),
  dense({ units: 1 }),
  activation('sigmoid'),
]);

model.compile({ loss: 'binary_crossentropy', optimizer: 'rmsprop', metrics: ['accuracy'] });
model.summary();

const trainGenerator = await imageDataGenerator({
  rescale: 1 / 255,
  shearRange: 0.2,
  zoomRange: 0.2,
  horizontalFlip: true,
}).flowFromDirectory(path.join(input, 'train'), {
  targetSize: [imgHeight, imgWidth],
  batchSize,
  classMode: 'binary',
});

const validationGenerator = await imageDataGenerator({ rescale: 1 / 255 }).flowFromDirectory(
  path.join(input, 'val'),
  { targetSize: [imgHeight, imgWidth], batchSize, classMode: 'binary' },
);

await model.fit(trainGenerator, {
  stepsPerEpoch: Math.floor(trainSamples / batchSize),
  epochs: Number(values.epochs),
  validationData: validationGenerator,
  validationSteps: Math.floor(validationSamples / batchSize),
  callbacks: [
    backupAndRestore({
      backupDir: path.join(output, 'checkpoints'),
      resume: Number(process.env.MYCLOUD_ATTEMPT ?? 1) > 1,
    }),
    tensorBoard({ logDir, histogramFreq: 0, writeGraph: true, writeImages: true }),
    metricLines(),
  ],
});

await model.saveWeights(path.join(output, 'weights.hdf5'));
await Promise.all([trainGenerator.close(), validationGenerator.close()]);
