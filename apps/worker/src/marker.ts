import { killWith } from '@mycloud/processes';
import type { AttemptProof } from '@mycloud/shared';

/** What the environment of every process of an attempt holds, and of no other. */
export const markerOf = ({ jobId, attempt, fence }: AttemptProof): string => `${jobId}.${attempt}.${fence}`;

/** Kills every process of an execution, wherever it forked to. @param marker of the execution */
export const killMarked = (marker: string): void => killWith(`MYCLOUD_EXECUTION=${marker}`);
