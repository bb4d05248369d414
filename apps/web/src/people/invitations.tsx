import { useQuery } from '@tanstack/react-query';
import { call } from '../api/call.js';
import { invitationsQuery } from '../api/queries.js';
import { timeText } from '../ui/format.js';
import { ErrorNotice } from '../ui/notice.js';
import { useNow } from '../ui/now.js';
import { useRowChange } from '../ui/row-change.js';
import { Table } from '../ui/table.js';
import { NewInvitation } from './new-invitation.js';

/** Who was invited, as what, and what became of it. */
export function Invitations() {
  const found = useQuery(invitationsQuery);
  const now = useNow();
  const revoke = useRowChange(
    (id: string) => call('DELETE /v1/invitations/:id', { params: { id } }),
    invitationsQuery.queryKey,
  );
  return (
    <section aria-labelledby="invitations">
      <h2 id="invitations" className="section-title">
        Invitations
      </h2>
      <NewInvitation />
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.data && found.data.items.length > 0 && (
        <Table label="Invitations" heads={['For', 'As', 'By', 'State', '']}>
          {found.data.items.map(
            ({ id, note, role, team, teamRole, invitedBy, state, acceptedBy, expiresAt }) => (
              <tr key={id}>
                <th scope="row">{note || 'anybody'}</th>
                <td>{team === null ? role : `${role}, ${teamRole} of ${team}`}</td>
                <td>{invitedBy}</td>
                <td>
                  {state === 'accepted' ? `taken by ${acceptedBy}` : state}
                  {state === 'open' && <span className="dim"> until {timeText(expiresAt, now)}</span>}
                </td>
                <td>
                  {state === 'open' && (
                    <button type="button" className="button button-danger" onClick={() => revoke.mutate(id)}>
                      Take back<span className="sr-only"> the invitation for {note || 'anybody'}</span>
                    </button>
                  )}
                </td>
              </tr>
            ),
          )}
        </Table>
      )}
    </section>
  );
}
