import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Assignment, assignmentSchema, idSchema, reasonNames } from '@mycloud/shared';
import { z } from 'zod';
import { readState, writeState } from './atomic-file.js';
import { removeFolder } from './remove-folder.js';
import { runnerNames } from './runners/runner.js';

const ending = z.object({ reason: z.enum(reasonNames), detail: z.string() });
export type Ending = z.infer<typeof ending>;

const stateSchema = z.object({
  assignment: assignmentSchema,
  /** waiting: for its turn, with a runner that doesn't begin at once. */
  phase: z.enum(['preparing', 'waiting', 'running', 'saving', 'finishing']),
  /** The supervisor of the job; pid alone could meanwhile be another's. */
  process: z
    .object({
      pid: z.number().int(),
      startTime: z.string(),
      marker: z.string(),
      cell: z.array(z.string()).default([]),
      container: z.string().optional(),
      slurm: z.string().optional(),
    })
    .optional(),
  /** The one that started it. */
  runner: z.enum(runnerNames).optional(),
  /** UUIDs of the GPUs it was given. */
  gpus: z.array(z.string()).optional(),
  /** What of the built environments it uses. */
  environments: z.array(z.string()).optional(),
  /** Its worker went in order and left it to the next one. */
  left: z.boolean().optional(),
  /** When a worker took it over from one that was killed, milliseconds since 1970. */
  crashes: z.array(z.number()).optional(),
  /** The command's environment variables, for commands beside it. */
  env: z.record(z.string(), z.string()).optional(),
  /** Where its web server was told to listen, as it sees it. */
  port: z.number().int().optional(),
  /** Milliseconds since 1970, of the command. */
  startedAt: z.number().optional(),
  /** The first order to end, kept so that a restarted worker carries it out. */
  stop: ending.optional(),
  end: ending.extend({ exitCode: z.number().int().nullable() }).optional(),
  /** Last saved or synced output. */
  output: z.object({ snapshotId: idSchema, hash: z.string() }).optional(),
});
export type AttemptState = z.infer<typeof stateSchema>;

/** The folder of one attempt: all that a restarted worker needs to go on with it. */
export interface AttemptFolder {
  readonly dir: string;
  /** Holds log, exit code and status, and nothing else: it is watched. */
  readonly runDir: string;
  readonly logFile: string;
  readonly codeDir: string;
  readonly outputDir: string;
  readonly homeDir: string;
  readonly tmpDir: string;
  readonly inputsDir: string;
  readonly state: AttemptState;
  /** Changes the state and writes it before it returns. */
  update(change: Partial<AttemptState>): void;
  /** A path of the worker's own bookkeeping in it. */
  file(name: string): string;
  remove(): Promise<void>;
}

function openFolder(dir: string, initial: AttemptState): AttemptFolder {
  let state = initial;
  const at = (name: string): string => path.join(dir, name);
  return {
    dir,
    runDir: at('run'),
    logFile: at('run/log'),
    codeDir: at('code'),
    outputDir: at('output'),
    homeDir: at('home'),
    tmpDir: at('tmp'),
    inputsDir: at('inputs'),
    get state() {
      return state;
    },
    update(change) {
      state = { ...state, ...change };
      writeState(at('state.jsonl'), state);
    },
    file: at,
    remove: () => removeFolder(dir),
  };
}

/** Makes the folder of a new attempt below `attemptsDir`: whole, or not at all on a full disk. */
export function createAttemptFolder(attemptsDir: string, assignment: Assignment): AttemptFolder {
  const dir = path.join(attemptsDir, `${assignment.jobId}.${assignment.attempt}`);
  try {
    for (const name of ['run', 'code', 'output', 'home', 'tmp', 'inputs']) {
      mkdirSync(path.join(dir, name), { recursive: true });
    }
    const folder = openFolder(dir, { assignment, phase: 'preparing' });
    folder.update({});
    return folder;
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Opens a folder an earlier worker left; null when it holds no attempt that can be gone on with. */
export function readAttemptFolder(dir: string): AttemptFolder | null {
  const parsed = stateSchema.safeParse(readState(path.join(dir, 'state.jsonl')));
  return parsed.success ? openFolder(dir, parsed.data) : null;
}
