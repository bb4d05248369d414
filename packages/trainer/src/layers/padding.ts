export const paddings = ['valid', 'same'] as const;
export type Padding = (typeof paddings)[number];

/** How a window moves over a picture. */
export interface Sliding {
  /** Down and to the right. */
  strides: [number, number];
  /** 'valid': windows lie inside the picture. 'same': ⌈size / stride⌉ of them, zeros around it where they reach out. */
  padding: Padding;
}

/**
 * Along one side: how many windows there are, and how many zeros stand before the picture. Of an odd number of zeros
 * the larger half stands behind it, as in TensorFlow (tensorflow/core/framework/kernel_shape_util.cc).
 */
export function windowsAlong(size: number, window: number, stride: number, padding: Padding) {
  if (padding === 'valid') return { count: Math.floor((size - window) / stride) + 1, before: 0 };
  const count = Math.ceil(size / stride);
  const zeros = Math.max(0, (count - 1) * stride + window - size);
  return { count, before: Math.floor(zeros / 2) };
}
