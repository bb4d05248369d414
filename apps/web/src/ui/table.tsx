import type { ReactNode } from 'react';

interface Props {
  /** What it holds, for those who hear it. */
  label: string;
  /** Of its columns; the empty one, with what can be done to a row, has none. */
  heads: readonly string[];
  /** The rows. */
  children: ReactNode;
}

/** A table that scrolls sideways by itself where it is wider than the screen. */
export const Table = ({ label, heads, children }: Props) => (
  <section className="scroll-x" aria-label={label} tabIndex={0}>
    <table className="table">
      <thead>
        <tr>
          {heads.map((head) =>
            head === '' ? (
              <td key={head} />
            ) : (
              <th key={head} scope="col">
                {head}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
);
