import type { JobStatus } from '@mycloud/shared/browser';
import {
  CircleCheck,
  CircleDashed,
  CirclePlay,
  CircleStop,
  CircleX,
  type LucideIcon,
  PackageOpen,
  Save,
  TimerOff,
} from 'lucide-react';

/** Every status has a word, a shape and a colour of its own: none is told by colour alone. */
export const statuses: Record<JobStatus, { word: string; icon: LucideIcon }> = {
  queued: { word: 'queued', icon: CircleDashed },
  preparing: { word: 'preparing', icon: PackageOpen },
  running: { word: 'running', icon: CirclePlay },
  saving: { word: 'saving', icon: Save },
  succeeded: { word: 'succeeded', icon: CircleCheck },
  failed: { word: 'failed', icon: CircleX },
  stopped: { word: 'stopped', icon: CircleStop },
  timed_out: { word: 'timed out', icon: TimerOff },
};

export function Status({ status, large }: { status: JobStatus; large?: boolean }) {
  const { word, icon: Icon } = statuses[status];
  return (
    <span className={`status ${large ? 'status-large' : ''}`} data-status={status}>
      <Icon size={large ? 18 : 15} aria-hidden />
      {word}
    </span>
  );
}
