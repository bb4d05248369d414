import { X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';

interface Toast {
  text: string;
  /** Takes back what was done. */
  undo?: () => void;
  failed?: boolean;
}

/** Long enough to read it and to change one's mind. */
const shownMs = 10_000;

let shown: Toast | undefined;
const listeners = new Set<() => void>();

/** Says in a corner what was done, or what failed, and lets it be undone. */
export function tell(toast: Toast | undefined): void {
  shown = toast;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function ToastPlace() {
  const toast = useSyncExternalStore(subscribe, () => shown);
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => shown === toast && tell(undefined), shownMs);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <div className="toast-place" role="status">
      {toast && (
        <div className={`toast ${toast.failed ? 'toast-failed' : ''}`}>
          <span>{toast.text}</span>
          {toast.undo && (
            <button
              type="button"
              className="link"
              onClick={() => {
                tell(undefined);
                toast.undo?.();
              }}
            >
              Undo
            </button>
          )}
          <button type="button" className="icon-button" onClick={() => tell(undefined)} aria-label="Close">
            <X size={14} aria-hidden />
          </button>
        </div>
      )}
    </div>
  );
}
