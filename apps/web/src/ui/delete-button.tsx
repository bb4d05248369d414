import { useMutation } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Dialog } from './dialog.js';
import { ErrorNotice } from './notice.js';

interface Props {
  /** What goes, by its name. */
  name: string;
  word: string;
  remove: () => Promise<unknown>;
  /** Said before it is done, such as who uses it. */
  children: ReactNode;
}

/** Asks once more, naming what will be deleted. */
export function DeleteButton({ name, word, remove, children }: Props) {
  const [asking, setAsking] = useState(false);
  const work = useMutation({ mutationFn: remove, onSuccess: () => setAsking(false) });
  const ask = () => {
    work.reset();
    setAsking(true);
  };
  return (
    <>
      <button type="button" className="button button-danger" onClick={ask}>
        <Trash2 size={14} aria-hidden /> {word}
      </button>
      {asking && (
        <Dialog title={`Delete ${name}?`} onClose={() => setAsking(false)}>
          {children}
          {work.error && <ErrorNotice error={work.error} />}
          <form method="dialog" className="buttons">
            <button type="submit" className="button">
              Keep it
            </button>
            <button
              type="button"
              className="button button-danger"
              onClick={() => work.mutate()}
              disabled={work.isPending}
            >
              {work.isPending ? 'Deleting…' : `Delete ${name}`}
            </button>
          </form>
        </Dialog>
      )}
    </>
  );
}
