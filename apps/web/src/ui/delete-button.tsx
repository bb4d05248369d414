import { useMutation } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { ConfirmDialog } from './confirm-dialog.js';

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
        <ConfirmDialog
          title={`Delete ${name}?`}
          onClose={() => setAsking(false)}
          keep="Keep it"
          action={{ word: `Delete ${name}`, pending: 'Deleting…', run: work.mutate }}
          work={work}
        >
          {children}
        </ConfirmDialog>
      )}
    </>
  );
}
