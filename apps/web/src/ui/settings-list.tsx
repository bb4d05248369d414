import type { ReactNode } from 'react';

/** What is set, a line each. */
export function SettingsList({ rows }: { rows: readonly [title: string, value: ReactNode][] }) {
  return (
    <dl className="settings">
      {rows.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
