import { stripVTControlCharacters } from 'node:util';
import type { MetricPoint } from '@mycloud/shared';
import { z } from 'zod';
import { readJson, writeJson } from '../atomic-file.js';

const stateSchema = z.object({
  /** The one whose numbers are awaited. */
  epoch: z.number().int().nullable(),
  /** How many have given theirs. */
  given: z.number().int(),
});

/** One `name: value` of a progress line. */
const named = / - ([A-Za-z_]\w*): (-?(?:\d+\.?\d*(?:e[+-]?\d+)?|nan|inf))(?= - |\s*$)/g;

/**
 * The numbers that Keras's `fit` prints at the end of each epoch, of Keras 2 and 3:
 *
 *     Epoch 3/30
 *     62/62 [==============================] - 14s 216ms/step - loss: 0.69 - accuracy: 0.53 - val_loss: 0.68
 *
 * become points of loss, acc, val_loss, named and counted (from 0) as our own trainer's and as the event files' are. What
 * `evaluate` prints has no epoch before it and is left out. A single epoch is not announced either, but has validated.
 * Which epoch it is is kept in a file, for a worker that restarts.
 */
export class KerasLines {
  #file: string;
  #state: z.output<typeof stateSchema>;
  /** What was given since the epoch began, from whichever line. */
  #given = new Set<string>();

  constructor(file: string) {
    this.#file = file;
    this.#state = stateSchema.safeParse(readJson(file)).data ?? { epoch: null, given: 0 };
  }

  read(line: string, time: number): MetricPoint[] {
    // Cheap before exact: a job prints 50,000 lines a second.
    if (line.startsWith('Epoch ')) this.#begin(/^Epoch (\d+)\/\d+\s*$/.exec(line)?.[1]);
    else if (line.includes('/step') && (this.#state.epoch !== null || line.includes(' - val_')))
      return this.#end(line, time);
    return [];
  }

  /** Whether a number that a script prints in Floyd's way wasn't read from Keras's own line, or printed before it. */
  isNew({ name, step }: MetricPoint): boolean {
    const key = `${step} ${name}`;
    if (this.#given.has(key)) return false;
    if (step === this.#state.epoch) this.#given.add(key);
    return true;
  }

  #begin(number: string | undefined): void {
    if (number === undefined) return;
    this.#given.clear();
    this.#remember({ ...this.#state, epoch: Number(number) - 1 });
  }

  #end(line: string, time: number): MetricPoint[] {
    const text = stripVTControlCharacters(line);
    const [, step, steps] = /^\s*(\d+)\/(\d+)\s.*\d+[mu]?s\/step/.exec(text) ?? [];
    // While it is being drawn Keras 2 tells when it will be done; Keras 3 draws it as it will be, without the validation.
    if (step === undefined || text.includes('ETA:')) return [];
    // Too few pictures for the steps that were asked for end an epoch early.
    if (step !== steps && text.includes('━') && !text.includes(' - val_')) return [];
    const epoch = this.#state.epoch ?? this.#state.given;
    if (this.#state.epoch === null) this.#begin(String(epoch + 1));
    const points = [...text.matchAll(named)]
      .map(([, name = '', number = '']) => ({
        name: name.replace('accuracy', 'acc'),
        step: epoch,
        value: Number.isFinite(Number(number)) ? Number(number) : null,
        time,
      }))
      .filter((point) => this.isNew(point));
    this.#remember({ epoch: null, given: epoch + 1 });
    return points;
  }

  #remember(state: z.output<typeof stateSchema>): void {
    this.#state = state;
    writeJson(this.#file, state);
  }
}
