import { z } from 'zod';
import { batchNormalization } from '../layers/batch-normalization.js';
import { conv2d } from '../layers/conv2d.js';
import { dense } from '../layers/dense.js';
import type { Layer } from '../layers/layer.js';
import { paddings } from '../layers/padding.js';
import { globalAveragePooling2d, maxPooling2d } from '../layers/pooling.js';
import { activation, activationNames, dropout, flatten } from '../layers/simple.js';

const whole = z.number().int().min(1);
const pair = z.tuple([whole, whole]);
const ones = z.tuple([z.literal(1), z.literal(1)]).optional();
const last = z.literal('channels_last').optional();
const optionalActivation = z
  .enum([...activationNames, 'linear'])
  .default('linear')
  .transform((name) => (name === 'linear' ? undefined : name));

/** Checks a layer's config, and makes the layer from it. */
type Reader = (config: unknown) => { layer: Layer } | { issue: z.ZodError };

function reader<S extends z.ZodType>(schema: S, make: (config: z.output<S>) => Layer): Reader {
  return (config) => {
    const parsed = schema.safeParse(config);
    return parsed.success ? { layer: make(parsed.data) } : { issue: parsed.error };
  };
}

/** Keras's layers by class name. What isn't supported must have its default. */
const readers: Record<string, Reader> = {
  Conv2D: reader(
    z.object({
      filters: whole,
      kernel_size: pair,
      strides: pair.default([1, 1]),
      padding: z.enum(paddings).default('valid'),
      use_bias: z.boolean().default(true),
      activation: optionalActivation,
      dilation_rate: ones,
      groups: z.literal(1).optional(),
      data_format: last,
    }),
    ({ filters, kernel_size: kernelSize, strides, padding, use_bias: useBias, activation }) =>
      conv2d({ filters, kernelSize, strides, padding, useBias, activation }),
  ),
  MaxPooling2D: reader(
    z
      .object({
        pool_size: pair,
        strides: pair.nullish(),
        padding: z.literal('valid').optional(),
        data_format: last,
      })
      .refine(({ pool_size, strides }) => !strides || strides.join() === pool_size.join(), {
        path: ['strides'],
        message: 'Windows that overlap are not supported: strides must be as pool_size',
      }),
    ({ pool_size: poolSize }) => maxPooling2d({ poolSize }),
  ),
  GlobalAveragePooling2D: reader(
    z.object({ keepdims: z.literal(false).optional(), data_format: last }),
    globalAveragePooling2d,
  ),
  BatchNormalization: reader(
    z.object({
      momentum: z.number().min(0).max(1).default(0.99),
      epsilon: z.number().min(0).default(0.001),
      center: z.literal(true).optional(),
      scale: z.literal(true).optional(),
    }),
    batchNormalization,
  ),
  Dense: reader(
    z.object({ units: whole, activation: optionalActivation, use_bias: z.boolean().default(true) }),
    ({ units, activation, use_bias: useBias }) => dense({ units, useBias, activation }),
  ),
  Dropout: reader(z.object({ rate: z.number().min(0).lt(1) }), ({ rate }) => dropout(rate)),
  Flatten: reader(z.object({ data_format: last }), flatten),
  Activation: reader(z.object({ activation: z.enum(activationNames) }), ({ activation: name }) =>
    activation(name),
  ),
};

/** A layer from its Keras class name and config, or what is wrong with it. */
export function readLayer(
  className: string,
  config: unknown,
): { layer: Layer } | { issue: z.ZodError | string } {
  const read = readers[className];
  return (
    read?.(config) ?? {
      issue: `the layer ${className} is not supported: there are ${Object.keys(readers).join(', ')}`,
    }
  );
}
