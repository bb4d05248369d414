import { Fragment } from 'react';
import { Link, useSearchParams } from 'react-router';
import { LineSwatch } from '../charts/line-look.js';
import { useSetInAddress } from '../ui/address.js';
import { type Cell, differs, type Row } from './rows.js';
import type { Compared } from './use-compared.js';

interface Props {
  compared: Compared[];
  /** Jobs that are filtered away. */
  left: ReadonlySet<string>;
  rows: Row[];
}

/** A row for each thing in which the jobs differ; all of them when asked for. */
export function DifferenceTable({ compared, left, rows }: Props) {
  const [search] = useSearchParams();
  const set = useSetInAddress();
  const all = search.get('all') === '1';
  const wanted = rows.filter((row) => (all ? row.cells.some(Boolean) : differs(row)));
  const sections = [...new Set(wanted.map((row) => row.section))];
  const shown = compared.map((one, i) => ({ ...one, i })).filter(({ job }) => !left.has(job.name));
  return (
    <section aria-labelledby="differences">
      <div className="section-head">
        <h2 id="differences">{all ? 'Everything' : 'What differs'}</h2>
        <label className="check">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => set('all', event.target.checked ? '1' : '')}
          />
          Show all
        </label>
      </div>
      <section className="scroll-x" aria-label="Differences, a column each job" tabIndex={0}>
        <table className="table differences">
          <thead>
            <tr>
              <td />
              {shown.map(({ job, word, look }) => (
                <th scope="col" key={job.name}>
                  <LineSwatch n={look} /> <Link to={`/${job.name}`}>{word}</Link>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sections.map((section) => (
              <Fragment key={section}>
                <tr className="row-section">
                  <th scope="colgroup" colSpan={shown.length + 1}>
                    {section}
                  </th>
                </tr>
                {wanted
                  .filter((row) => row.section === section)
                  .map((row) => (
                    <tr key={row.title} data-row={row.title}>
                      <th scope="row">{row.title}</th>
                      {shown.map(({ job, i }) => (
                        <td key={job.name} className={row.section === 'Metrics' ? 'number' : undefined}>
                          <Value cell={row.cells[i]} best={row.best?.includes(i)} />
                        </td>
                      ))}
                    </tr>
                  ))}
              </Fragment>
            ))}
          </tbody>
        </table>
      </section>
      <p className="dim small">
        Of environment variables only the names are known here, not whether their values are the same.
      </p>
    </section>
  );
}

function Value({ cell, best }: { cell?: Cell; best?: boolean }) {
  if (!cell) return <span className="dim">–</span>;
  if (cell.to) return <Link to={cell.to}>{cell.text}</Link>;
  if (best)
    return (
      <strong title="The best of these">
        {cell.text} <span aria-hidden="true">★</span>
        <span className="sr-only">(best)</span>
      </strong>
    );
  return cell.text;
}
