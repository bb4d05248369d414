import { AppError } from '@mycloud/shared/browser';
import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { CopyText } from './copy.js';

/** What went wrong, and what to do. */
export function ErrorNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const { hint, errors = [] } = error instanceof AppError ? error : {};
  return (
    <div className="notice notice-error" role="alert">
      <TriangleAlert size={18} aria-hidden />
      <div>
        <p>{error instanceof Error ? error.message : String(error)}</p>
        {errors.map(({ path, message }) => (
          <p key={path}>
            {path && `${path}: `}
            {message}
          </p>
        ))}
        {hint && <p className="dim">{hint}</p>}
      </div>
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Nothing to show yet, and the command that changes that. */
export function Empty({
  title,
  children,
  commands = [],
}: {
  title: string;
  children?: ReactNode;
  commands?: string[];
}) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children && <p className="dim">{children}</p>}
      {commands.map((command) => (
        <CopyText key={command} text={command} />
      ))}
    </div>
  );
}

export const Loading = ({ what }: { what: string }) => (
  <p className="loading dim" role="status">
    Loading {what}…
  </p>
);
