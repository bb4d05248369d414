import path from 'node:path';
import { createEventWriter, type EventWriter, encodeGraph } from '@mycloud/tfevents';
import type { TrainingRun } from '../loop.js';
import type { Callback } from './callback.js';
import { graphNodes } from './graph.js';
import { kernelPicture } from './kernel-picture.js';

export interface TensorBoardOptions {
  logDir: string;
  /** Histograms of the weights every so many epochs; 0: none. */
  histogramFreq?: number;
  writeGraph?: boolean;
  /** The kernels as pictures, with the histograms' frequency (each epoch where that is 0). */
  writeImages?: boolean;
}

/**
 * Keras's TensorBoard: `train` and `validation` under logDir with epoch_loss and epoch_accuracy, so that both are
 * drawn in one chart; the graph, histograms and pictures of the weights in `train`.
 */
export function tensorBoard({
  logDir,
  histogramFreq = 0,
  writeGraph = true,
  writeImages = false,
}: TensorBoardOptions): Callback {
  let train: EventWriter | undefined;
  let validation: EventWriter | undefined;

  const weights = async (run: TrainingRun, epoch: number, writer: EventWriter) => {
    const due = (every: number) => every > 0 && epoch % every === 0;
    const images = writeImages && due(histogramFreq || 1);
    if (!due(histogramFreq) && !images) return;
    for (const layer of await run.model.layerWeights()) {
      for (const { name, shape, data } of layer.weights) {
        const tag = `${layer.name}/${name}_0`;
        if (due(histogramFreq)) writer.histogram(tag, data, epoch);
        const picture = images ? await kernelPicture(data, shape) : undefined;
        if (picture) {
          writer.image(`${tag}/image`, picture.png, picture.height, picture.width, picture.channels, epoch);
        }
      }
    }
  };

  return {
    async onTrainBegin(run) {
      train = createEventWriter(path.join(logDir, 'train'));
      if (writeGraph) train.graph(encodeGraph(graphNodes(run.model.network)));
      await train.flush();
    },
    async onEpochEnd(run, epoch, logs) {
      for (const [name, value] of Object.entries(logs)) {
        if (name.startsWith('val_')) {
          validation ??= createEventWriter(path.join(logDir, 'validation'));
          validation.scalar(`epoch_${name.slice('val_'.length)}`, value, epoch);
        } else train?.scalar(`epoch_${name}`, value, epoch);
      }
      train?.scalar('epoch_learning_rate', await run.model.learningRate(), epoch);
      if (train) await weights(run, epoch, train);
      await Promise.all([train?.flush(), validation?.flush()]);
    },
    async onTrainEnd() {
      await Promise.all([train?.close(), validation?.close()]);
    },
  };
}
