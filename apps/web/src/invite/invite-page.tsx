import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { useHead } from '../ui/head.js';
import { ErrorNotice, Loading } from '../ui/notice.js';

/** Where an invitation leads: who has it chooses a name and a password, and is logged in. */
export function InvitePage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const secret = useLocation().hash.slice(1);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  useHead('Invitation');
  const offer = useQuery({
    queryKey: ['invitation', secret],
    queryFn: ({ signal }) => call('POST /v1/invitations/look', { body: { secret } }, { signal }),
    retry: false,
  });
  const accept = useMutation({
    mutationFn: async () => {
      await call('POST /v1/invitations/accept', { body: { secret, name, password } });
      return call('POST /v1/session', { body: { name, password } });
    },
    onSuccess: (user) => {
      client.clear();
      client.setQueryData(['me'], user);
      navigate('/', { replace: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    accept.mutate();
  };
  return (
    <main className="login">
      <h1>Welcome to mycloud</h1>
      {offer.isPending && <Loading what="the invitation" />}
      {offer.error && <ErrorNotice error={offer.error} />}
      {offer.data && (
        <form onSubmit={submit}>
          <p>
            {offer.data.invitedBy} invites you{offer.data.role === 'admin' && ' as an admin of this server'}
            {offer.data.team !== null && `, into the team ${offer.data.team}`}.
          </p>
          <label>
            Name
            <input
              value={name}
              onChange={({ target }) => setName(target.value)}
              autoComplete="username"
              autoCapitalize="none"
              pattern="[a-z0-9][a-z0-9._\-]{0,62}"
              title="Lower-case letters, digits, “.”, “_” and “-”, at most 63"
              required
            />
          </label>
          <label>
            Password
            <input
              type="password"
              value={password}
              onChange={({ target }) => setPassword(target.value)}
              autoComplete="new-password"
              minLength={8}
              required
            />
          </label>
          {accept.error && <ErrorNotice error={accept.error} />}
          <button type="submit" className="button button-primary" disabled={accept.isPending}>
            {accept.isPending ? 'One moment…' : 'Begin'}
          </button>
        </form>
      )}
    </main>
  );
}
