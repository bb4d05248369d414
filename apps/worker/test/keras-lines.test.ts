import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MetricPoint } from '@mycloud/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KerasLines } from '../src/metrics/keras-lines.js';

let folder: string;
let lines: KerasLines;
const open = () => new KerasLines(path.join(folder, 'keras.json'));
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keras-lines-'));
  lines = open();
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (...texts: string[]): string[] =>
  texts.flatMap((text) => lines.read(text, 1)).map(({ name, step, value }) => `${name} ${step} ${value}`);
const point = (name: string, step: number): MetricPoint => ({ name, step, value: 1, time: 1 });

/** As real ones printed them into a pipe. */
const printed = {
  'Keras 2.15':
    '4/4 [==============================] - 1s 43ms/step - loss: 0.7972 - accuracy: 0.4531 - val_loss: 7.9e-01 - val_accuracy: 0.4531',
  'Keras 2.15, verbose=2':
    '4/4 - 1s - loss: 0.7972 - accuracy: 0.4531 - val_loss: 0.79 - val_accuracy: 0.4531 - 513ms/epoch - 128ms/step',
  'Keras 3':
    '\x1b[1m4/4\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m1s\x1b[0m 156ms/step - loss: 0.7972 - accuracy: 0.4531 - val_loss: 0.79 - val_accuracy: 0.4531',
  'Keras 3, verbose=2':
    '4/4 - 1s - 220ms/step - loss: 0.7972 - accuracy: 0.4531 - val_loss: 0.79 - val_accuracy: 0.4531',
};
const numbers = ['loss 2 0.7972', 'acc 2 0.4531', 'val_loss 2 0.79', 'val_acc 2 0.4531'];

describe('the progress lines of Keras', () => {
  it.each(Object.entries(printed))('of %s are the numbers of their epoch', (_, line) => {
    expect(read('Epoch 3/30', '1/4 [=====>....] - ETA: 1s - loss: 0.7', line)).toEqual(numbers);
  });

  it('of an epoch that ended early, out of pictures, count too', () => {
    const early = printed['Keras 2.15'].replace(
      '4/4 [==============================]',
      '2/62 [.....................]',
    );
    expect(read('Epoch 3/30', early)).toEqual(numbers);
    const drawing = '\x1b[1m 2/62\x1b[0m \x1b[37m━━━━\x1b[0m \x1b[1m9s\x1b[0m 156ms/step - loss: 0.7972';
    expect(read('Epoch 3/30', drawing, printed['Keras 3'].replace('4/4', ' 2/62'))).toEqual(numbers);
  });

  it('of single epochs, which Keras doesn’t announce, are counted', () => {
    const single = printed['Keras 2.15'];
    expect(read(single)).toEqual(numbers.map((one) => one.replace(' 2 ', ' 0 ')));
    expect(read(single)).toEqual(numbers.map((one) => one.replace(' 2 ', ' 1 ')));
  });

  it('of an evaluation belong to no epoch', () => {
    const evaluated = '2/2 [==============================] - 0s 3ms/step - loss: 0.6797 - accuracy: 0.5781';
    expect(read(evaluated)).toEqual([]);
    expect(read('Epoch 3/30', printed['Keras 2.15'], evaluated)).toEqual(numbers);
  });

  it('that count nothing are nobody’s numbers', () => {
    expect(read('Epoch 1/2', 'epoch 1/2 - loss: 3', '4/4 files copied - size: 3', 'Epoch one')).toEqual([]);
  });

  it('say of a loss that is no number that it is none', () => {
    expect(read('Epoch 1/2', '4/4 [====] - 0s 3ms/step - loss: nan')).toEqual(['loss 0 null']);
  });

  it('are not given twice where the script prints them in Floyd’s way too, before or after', () => {
    read('Epoch 3/30');
    expect(lines.isNew(point('val_acc', 2))).toBe(true);
    expect(read(printed['Keras 2.15'])).toEqual(numbers.slice(0, 3));
    expect(lines.isNew(point('loss', 2))).toBe(false);
    expect(lines.isNew(point('lr', 2))).toBe(true);
    read('Epoch 4/30');
    expect(lines.isNew(point('loss', 3))).toBe(true);
  });

  it('are of the same epoch after a restart of the worker', () => {
    read('Epoch 3/30');
    lines = open();
    expect(read(printed['Keras 3'])).toEqual(numbers);
    lines = open();
    const next = numbers.map((one) => one.replace(' 2 ', ' 3 '));
    expect(read(printed['Keras 3'])).toEqual(next);
  });
});
