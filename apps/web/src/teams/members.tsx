import type { Member, TeamDetail, TeamRole } from '@mycloud/shared/browser';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { call } from '../api/call.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import { timeText } from '../ui/format.js';
import { ErrorNotice } from '../ui/notice.js';
import { useNow } from '../ui/now.js';
import { useRowChange } from '../ui/row-change.js';
import { Table } from '../ui/table.js';
import { tell } from '../ui/toast.js';

const roles: TeamRole[] = ['viewer', 'member', 'admin'];

interface Props {
  team: TeamDetail;
  /** Who looks may say who is in it. */
  manages: boolean;
  me: string | undefined;
}

/** Who is in a team, as what; its admins change that here. */
export function Members({ team, manages, me }: Props) {
  const now = useNow();
  const [leaving, setLeaving] = useState<Member>();
  const change = useRowChange(
    ({ user, role }: { user: string; role: TeamRole }) =>
      call('PUT /v1/teams/:team/members/:user', { params: { team: team.name, user }, body: { role } }),
    ...listsOf(team.name),
  );
  return (
    <section aria-labelledby="members">
      <h2 id="members" className="section-title">
        Members
      </h2>
      {manages && <AddMember team={team.name} />}
      <Table label="Members of the team" heads={['User', 'Role', 'Since', '']}>
        {team.members.map((member) => (
          <tr key={member.user}>
            <th scope="row">{member.user}</th>
            <td>
              {manages ? (
                <RoleChoice
                  label={`Role of ${member.user}`}
                  role={member.role}
                  choose={(role) => change.mutate({ user: member.user, role })}
                />
              ) : (
                member.role
              )}
            </td>
            <td className="number">{timeText(member.since, now)}</td>
            <td>
              {(manages || member.user === me) && (
                <button type="button" className="button button-danger" onClick={() => setLeaving(member)}>
                  {member.user === me ? 'Leave' : 'Remove'}
                  <span className="sr-only"> {member.user === me ? team.name : member.user}</span>
                </button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {leaving && <Remove team={team.name} user={leaving.user} onClose={() => setLeaving(undefined)} />}
    </section>
  );
}

/** Where a team's members are shown. */
const listsOf = (team: string): string[][] => [['team', team], ['teams']];

function useRefresh(team: string): () => Promise<unknown> {
  const client = useQueryClient();
  return () => Promise.all(listsOf(team).map((queryKey) => client.invalidateQueries({ queryKey })));
}

function RoleChoice({
  label,
  role,
  choose,
}: {
  label: string;
  role: TeamRole;
  choose: (role: TeamRole) => void;
}) {
  return (
    <select aria-label={label} value={role} onChange={({ target }) => choose(target.value as TeamRole)}>
      {roles.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}

function AddMember({ team }: { team: string }) {
  const refresh = useRefresh(team);
  const [user, setUser] = useState('');
  const [role, setRole] = useState<TeamRole>('member');
  const add = useMutation({
    mutationFn: () =>
      call('PUT /v1/teams/:team/members/:user', { params: { team, user: user.trim() }, body: { role } }),
    onSuccess: () => {
      setUser('');
      return refresh();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <>
      <form className="new-token" onSubmit={submit}>
        <label>
          <span className="sr-only">Name of a user</span>
          <input
            placeholder="name of a user"
            required
            autoCapitalize="none"
            value={user}
            onChange={({ target }) => setUser(target.value)}
          />
        </label>
        <RoleChoice label="Role of the new member" role={role} choose={setRole} />
        <button type="submit" className="button button-primary" disabled={add.isPending}>
          Add to the team
        </button>
      </form>
      {add.error && <ErrorNotice error={add.error} />}
    </>
  );
}

function Remove({ team, user, onClose }: { team: string; user: string; onClose: () => void }) {
  const refresh = useRefresh(team);
  const remove = useMutation({
    mutationFn: () => call('DELETE /v1/teams/:team/members/:user', { params: { team, user } }),
    onSuccess: async () => {
      await refresh();
      onClose();
      tell({ text: `${user} is not in ${team} any more` });
    },
  });
  return (
    <ConfirmDialog
      title={`Take ${user} out of ${team}?`}
      onClose={onClose}
      keep="Stay"
      action={{ word: `Take ${user} out`, pending: 'Taking out…', run: remove.mutate }}
      work={remove}
    >
      <p>What he submitted and uploaded for the team stays; he sees nothing of it any more.</p>
    </ConfirmDialog>
  );
}
