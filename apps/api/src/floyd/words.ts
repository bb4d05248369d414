import { AppError, type EndStatus, type JobStatus } from '@mycloud/shared';

/** The client stops only what is queued, queue_scheduled or running; any other word it shows as it is. */
export const stateOf: Record<JobStatus, string> = {
  queued: 'queued',
  preparing: 'running',
  running: 'running',
  saving: 'running',
  succeeded: 'success',
  failed: 'failed',
  stopped: 'shutdown',
  timed_out: 'timeout',
};

/** What `logs -f` waits for, letter by letter. */
export const endMarker: Record<EndStatus, string> = {
  succeeded: '[success] Finished execution',
  failed: '[failed] Task execution failed',
  stopped: '[shutdown] Task execution cancelled',
  timed_out: '[timeout] Task execution cancelled',
};

/** Machine types by the client's codes; it looks nothing else up, and breaks at other codes with `restart --env`. */
const codes: Record<string, string> = { cpu: 'c1', gpu: 'g1', cpu2: 'c2', gpu2: 'g2' };
const machines = Object.fromEntries(Object.entries(codes).map(([machine, code]) => [code, machine]));

/** Of a machine type that the server's configuration added, the name itself. */
export const codeOf = (machine: string): string => codes[machine] ?? machine;
export const machineOf = (code: string): string => machines[code] ?? code;

/** @throws AppError bad_request for a mode in which nothing can be run here */
export function checkMode(mode: string): void {
  if (mode === 'command' || mode === 'job') return;
  throw new AppError('bad_request', `this server runs commands, and nothing in the mode "${mode}"`, {
    hint: 'Run it without --mode, and take `mode` out of floyd.yml.',
  });
}

/** Bytes as the client shows them. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
