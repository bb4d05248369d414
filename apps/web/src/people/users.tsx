import type { User } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { call } from '../api/call.js';
import { meQuery, usersQuery } from '../api/queries.js';
import { timeText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { useNow } from '../ui/now.js';
import { useRowChange } from '../ui/row-change.js';
import { Table } from '../ui/table.js';

/** Who may log in, and as what. */
export function Users() {
  const found = useQuery(usersQuery);
  const me = useQuery(meQuery);
  const now = useNow();
  const change = useRowChange(
    ({ user, ...body }: { user: string; role?: User['role']; disabled?: boolean }) =>
      call('PATCH /v1/users/:user', { params: { user }, body }),
    usersQuery.queryKey,
  );
  return (
    <section aria-labelledby="users">
      <h2 id="users" className="section-title">
        Users
      </h2>
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="users" />}
      {found.data && (
        <Table label="Users of this server" heads={['Name', 'Role', 'Since', '']}>
          {found.data.items.map(({ name, role, disabled, createdAt }) => (
            <tr key={name}>
              <th scope="row">
                {name}
                {disabled && <span className="dim"> · disabled</span>}
              </th>
              <td>
                <select
                  aria-label={`Role of ${name}`}
                  value={role}
                  disabled={name === me.data?.name}
                  onChange={({ target }) => change.mutate({ user: name, role: target.value as User['role'] })}
                >
                  <option>user</option>
                  <option>admin</option>
                </select>
              </td>
              <td className="number">{timeText(createdAt, now)}</td>
              <td>
                {name !== me.data?.name && (
                  <button
                    type="button"
                    className={disabled ? 'button' : 'button button-danger'}
                    onClick={() => change.mutate({ user: name, disabled: !disabled })}
                  >
                    {disabled ? 'Let in again' : 'Keep out'}
                    <span className="sr-only"> {name}</span>
                  </button>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
