import type { UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Dialog } from './dialog.js';
import { ErrorNotice } from './notice.js';

interface Props {
  /** Names the thing: Delete lab/projects/cats/3? */
  title: string;
  onClose: () => void;
  /** What closes it and changes nothing. */
  keep: string;
  /** What does it; without, it can't be done now. */
  action?: {
    word: string;
    /** Said while it is done. */
    pending: string;
    run: () => void;
    /** It can be taken back. */
    harmless?: boolean;
  };
  work: Pick<UseMutationResult<unknown>, 'error' | 'isPending'>;
  /** What comes of it. */
  children: ReactNode;
}

/** Asks once more before something is done, and stays open to say why when it failed. */
export function ConfirmDialog({ title, onClose, keep, action, work, children }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {work.error && <ErrorNotice error={work.error} />}
      <form method="dialog" className="buttons">
        <button type="submit" className="button">
          {keep}
        </button>
        {action && (
          <button
            type="button"
            className={`button ${action.harmless ? 'button-primary' : 'button-danger'}`}
            onClick={() => action.run()}
            disabled={work.isPending}
          >
            {work.isPending ? action.pending : action.word}
          </button>
        )}
      </form>
    </Dialog>
  );
}
