import type { AuditEntry } from '@mycloud/shared/browser';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { type AuditFilter, auditQuery } from '../api/queries.js';
import { useSetInAddress } from '../ui/address.js';
import { fullTime } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { MoreButton } from '../ui/more-button.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { Table } from '../ui/table.js';

const fields = [
  ['user', 'by whom'],
  ['target', 'on what'],
  ['action', 'which action'],
] as const;

/** For admins of the server: who did what, newest first; what is looked for stands in the address. */
export function AuditPage() {
  useHead('Audit trail');
  const [search] = useSearchParams();
  const set = useSetInAddress<keyof AuditFilter>();
  const filter = Object.fromEntries(
    fields.map(([name]) => [name, search.get(name) || undefined]),
  ) as AuditFilter;
  const found = useInfiniteQuery(auditQuery(filter));
  const items = found.data?.pages.flatMap((page) => page.items);
  return (
    <div className="page">
      <div className="page-head">
        <p className="crumbs">
          <Link to="/people">People</Link>
        </p>
        <h1>Audit trail</h1>
      </div>
      <search className="new-token">
        {fields.map(([name, word]) => (
          <label key={name}>
            <span className="sr-only">{word}</span>
            <input
              type="search"
              placeholder={word}
              defaultValue={filter[name] ?? ''}
              onChange={({ target }) => set(name, target.value.trim())}
            />
          </label>
        ))}
      </search>
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="the audit trail" />}
      {items?.length === 0 && <Empty title="There are no such entries" />}
      {items && items.length > 0 && (
        <Table label="Entries" heads={['Time', 'User', 'By', 'Action', 'On', 'From', 'Outcome']}>
          {items.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </Table>
      )}
      <MoreButton list={found}>Older entries</MoreButton>
    </div>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const more = Object.entries(entry.detail).map(([name, value]) => `${name} ${String(value)}`);
  return (
    <tr>
      <td className="number">{fullTime(entry.time)}</td>
      <td>{entry.user ?? '–'}</td>
      <td>{entry.via}</td>
      <td>{entry.action}</td>
      <td>
        {entry.target}
        {more.length > 0 && <span className="dim"> {more.join(', ')}</span>}
      </td>
      <td className="number">{entry.address}</td>
      <td>{entry.outcome.replaceAll('_', ' ')}</td>
    </tr>
  );
}
