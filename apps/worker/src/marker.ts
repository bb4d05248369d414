import { hasVariable, listProcesses, sendSignal } from '@mycloud/processes';
import type { AttemptProof } from '@mycloud/shared';

/** What the environment of every process of an attempt holds, and of no other. */
export const markerOf = ({ jobId, attempt, fence }: AttemptProof): string => `${jobId}.${attempt}.${fence}`;

/** Kills every process of an execution, wherever it forked to. @param marker of the execution */
export function killMarked(marker: string): void {
  for (const { pid } of listProcesses()) {
    if (hasVariable(pid, `MYCLOUD_EXECUTION=${marker}`)) sendSignal(pid, 'SIGKILL');
  }
}
