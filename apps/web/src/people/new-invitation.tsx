import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/call.js';
import { invitationsQuery, teamsQuery } from '../api/queries.js';
import { CopyText } from '../ui/copy.js';
import { ErrorNotice } from '../ui/notice.js';

/** Makes a link by which somebody becomes a user, and shows it this once. */
export function NewInvitation() {
  const client = useQueryClient();
  const teams = useQuery(teamsQuery);
  const [note, setNote] = useState('');
  const [team, setTeam] = useState('');
  const [admin, setAdmin] = useState(false);
  const invite = useMutation({
    mutationFn: () =>
      call('POST /v1/invitations', {
        body: { note: note.trim(), team: team || undefined, role: admin ? 'admin' : 'user' },
      }),
    onSuccess: () => {
      setNote('');
      return client.invalidateQueries({ queryKey: invitationsQuery.queryKey });
    },
    // The secret isn't kept once this is left.
    gcTime: 0,
  });
  return (
    <>
      <form
        className="new-token"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate();
        }}
      >
        <label>
          <span className="sr-only">For whom it is</span>
          <input
            placeholder="for whom it is"
            maxLength={200}
            value={note}
            onChange={({ target }) => setNote(target.value)}
          />
        </label>
        <label>
          <span className="sr-only">Into which team</span>
          <select value={team} onChange={({ target }) => setTeam(target.value)}>
            <option value="">into no team</option>
            {teams.data?.items.map(({ name }) => (
              <option key={name} value={name}>
                into {name}
              </option>
            ))}
          </select>
        </label>
        <label className="check">
          <input type="checkbox" checked={admin} onChange={({ target }) => setAdmin(target.checked)} />
          as an admin of the server
        </label>
        <button type="submit" className="button button-primary" disabled={invite.isPending}>
          Invite
        </button>
      </form>
      {invite.error && <ErrorNotice error={invite.error} />}
      {invite.data && (
        <div className="notice new-secret" role="status">
          <div>
            <p>Send this link: who opens it first chooses a name and a password. It is shown this once.</p>
            <CopyText text={window.location.origin + invite.data.path} label="Copy the link" />
          </div>
          <button type="button" className="button" onClick={() => invite.reset()}>
            I have it
          </button>
        </div>
      )}
    </>
  );
}
