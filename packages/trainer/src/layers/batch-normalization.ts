import type { Layer } from './layer.js';

export interface BatchNormalizationOptions {
  /** How much of the moving statistics a step keeps; 0.99 by default. */
  momentum?: number;
  /** Added to the variance; 0.001 by default. */
  epsilon?: number;
}

/**
 * y = γ · (x − mean) / √(variance + ε) + β, channel by channel (Ioffe and Szegedy, 2015). While training, mean and
 * variance are the batch's own, and the moving ones go towards them: m ← m · momentum + batch · (1 − momentum).
 * Otherwise the moving ones are used. Over pictures the variance that is moved towards is the unbiased one (divided by
 * n − 1), which is what Keras 2's fused op gives; over [n, units] it is the biased one.
 */
export function batchNormalization({
  momentum = 0.99,
  epsilon = 0.001,
}: BatchNormalizationOptions = {}): Layer {
  return {
    kind: 'batch_normalization',
    className: 'BatchNormalization',
    config: { axis: -1, momentum, epsilon, center: true, scale: true },
    outputShape: (input) => input,
    weightSpecs(input) {
      const c = input.at(-1)!;
      return [
        { name: 'gamma', shape: [c], initial: new Float32Array(c).fill(1) },
        { name: 'beta', shape: [c], initial: new Float32Array(c) },
        { name: 'moving_mean', shape: [c], initial: new Float32Array(c), moving: true },
        { name: 'moving_variance', shape: [c], initial: new Float32Array(c).fill(1), moving: true },
      ];
    },
    forward({ tf, kernels, weights, training }, x) {
      const [gamma, beta, movingMean, movingVariance] = weights;
      const batch = training ? kernels.moments(x) : undefined;
      const mean = batch?.mean ?? movingMean!;
      const inverse = tf.rsqrt(tf.add(batch?.variance ?? movingVariance!, epsilon));
      const scale = tf.mul(gamma!, inverse);
      const y = kernels.scaleAndShift(x, scale, tf.sub(beta!, tf.mul(mean, scale)));
      if (!batch) return { y, cache: [] };
      const towards = (moving: typeof mean, value: typeof mean) =>
        tf.add(tf.mul(moving, momentum), tf.mul(value, 1 - momentum));
      const n = x.size / x.shape.at(-1)!;
      const unbiased = x.rank === 4 && n > 1 ? tf.mul(batch.variance, n / (n - 1)) : batch.variance;
      return {
        y,
        cache: [x, mean, inverse],
        moved: [towards(movingMean!, mean), towards(movingVariance!, unbiased)],
      };
    },
    backward({ kernels, weights: [gamma] }, dy, [x, mean, inverse]) {
      const { dx, dGamma, dBeta } = kernels.batchNormGrad(x!, dy, gamma!, mean!, inverse!);
      return { dx, grads: [dGamma, dBeta] };
    },
  };
}
