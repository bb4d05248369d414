import { isActive, jobKey } from '../api/queries.js';
import type { TabProps } from '../job/job-page.js';
import { Board } from './board.js';
import { SummariesView } from './summaries-view.js';

/** TensorBoard of one job; where it isn't installed, the same event files as this page draws them. */
export function TensorboardTab({ job, at }: TabProps) {
  return (
    <Board jobs={jobKey(at)} live={isActive(job)}>
      <SummariesView job={job} at={at} />
    </Board>
  );
}
