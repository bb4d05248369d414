import { Pencil } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { ErrorNotice } from './notice.js';

interface Props {
  /** What it is: "note". */
  what: string;
  text: string;
  /** Who may only read sees the text and no more. */
  editable: boolean;
  /** Answers once it is saved. @throws AppError */
  save: (text: string) => Promise<unknown>;
  className?: string;
}

/** A text that becomes a field when its pencil is pressed. What couldn't be saved stays in the field, with the reason. */
export function EditableText({ what, text, editable, save, className }: Props) {
  const [draft, setDraft] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const close = () => {
    setDraft(undefined);
    setError(undefined);
  };
  const keep = async () => {
    setBusy(true);
    try {
      if (draft !== undefined && draft !== text) await save(draft);
      close();
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void keep();
  };
  if (draft === undefined) {
    if (!text && !editable) return null;
    return (
      <div className={`editable ${className ?? ''}`}>
        {text && <p className="job-text">{text}</p>}
        {editable && (
          <button
            type="button"
            className={text ? 'icon-button' : 'link'}
            onClick={() => setDraft(text)}
            aria-label={text ? `Edit the ${what}` : undefined}
            title={text ? `Edit the ${what}` : undefined}
          >
            {text ? <Pencil size={14} aria-hidden /> : `Add a ${what}`}
          </button>
        )}
      </div>
    );
  }
  return (
    <form
      className="editing"
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <textarea
        // biome-ignore lint/a11y/noAutofocus: it was just asked for
        autoFocus
        rows={Math.min(12, Math.max(2, draft.split('\n').length))}
        aria-label={what}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={key}
      />
      {error !== undefined && <ErrorNotice error={error} />}
      <div className="buttons">
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" className="button button-primary" disabled={busy}>
          {busy ? 'Saving…' : 'Save'}
        </button>
      </div>
    </form>
  );
}
