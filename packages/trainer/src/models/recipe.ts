import type { Layer } from '../layers/layer.js';

/** What a network is made for. */
interface NetworkNeeds {
  /** Height and width of the pictures. */
  imageSize: number;
  /** Values of the last layer, and its activation. */
  units: number;
  activation: 'sigmoid' | 'softmax';
  dropout: number;
}

/** How a model is trained where the options don't say: one of these for each name of `--model`. */
export interface TrainingDefaults {
  epochs: number;
  optimizer: string;
  lr: number;
  schedule: 'constant' | 'cosine';
  dropout: number;
  /** Degrees. */
  shear: number;
  zoom: number;
  /** Share of height and width. */
  shift: number;
}

/** A network by name. */
export interface Recipe {
  readonly description: string;
  readonly defaults: TrainingDefaults;
  layers(needs: NetworkNeeds): Layer[];
}
