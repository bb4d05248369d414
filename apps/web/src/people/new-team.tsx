import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { teamsQuery } from '../api/queries.js';
import { ErrorNotice } from '../ui/notice.js';

/** Makes a team, and leads to it. */
export function NewTeam() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: () => call('POST /v1/teams', { body: { name: name.trim() } }),
    onSuccess: async (team) => {
      await client.invalidateQueries({ queryKey: teamsQuery.queryKey });
      navigate(`/teams/${team.name}`);
    },
  });
  return (
    <>
      <form
        className="new-token"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <label>
          <span className="sr-only">Name of the new team</span>
          <input
            placeholder="name of a new team"
            required
            autoCapitalize="none"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        <button type="submit" className="button button-primary" disabled={make.isPending}>
          Make a team
        </button>
      </form>
      {make.error && <ErrorNotice error={make.error} />}
    </>
  );
}
