import { RotateCcw } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import type { TabProps } from './job-page.js';

const RestartDialog = lazy(() => import('../restart/restart-dialog.js'));

/** Opens the form that runs it again with changes. */
export function RestartButton({ job, at }: TabProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        <RotateCcw size={13} aria-hidden />
        Run again
      </button>
      {open && (
        <Suspense>
          <RestartDialog job={job} at={at} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
