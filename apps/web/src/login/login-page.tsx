import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { call } from '../api/call.js';
import { meQuery } from '../api/queries.js';
import { CopyText } from '../ui/copy.js';
import { useHead } from '../ui/head.js';
import { ErrorNotice } from '../ui/notice.js';

/** Names and nothing else: a \ or a tab in their place would lead a browser to another host. */
const servedByJob = /^\/[a-z0-9._-]+\/projects\/[a-z0-9._-]+\/\d+\/(jupyter|serve)\//;

/** Name and password, or the word how to get a link that needs neither. */
export function LoginPage() {
  const client = useQueryClient();
  const [search] = useSearchParams();
  const me = useQuery(meQuery);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  useHead('Log in');
  const login = useMutation({
    mutationFn: () => call('POST /v1/session', { body: { name, password } }),
    onSuccess: (user) => client.setQueryData(['me'], user),
  });
  const to = search.get('to') ?? '/';
  // What a job serves is no view of this page.
  const leaves = servedByJob.test(to);
  useEffect(() => {
    if (me.data && leaves) window.location.replace(to);
  }, [me.data, leaves, to]);
  if (me.data && leaves) return null;
  if (me.data) return <Navigate to={/^\/(?![/\\])/.test(to) ? to : '/'} replace />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <main className="login">
      <h1>Log in to mycloud</h1>
      {search.get('link') === 'used' && (
        <p className="notice" role="status">
          That link has been used, or its time is over. Make another with the command below.
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          Name
          <input
            value={name}
            onChange={(e) => setName(e.target.value)}
            autoComplete="username"
            autoCapitalize="none"
            required
          />
        </label>
        <label>
          Password
          <input
            type="password"
            value={password}
            onChange={(e) => setPassword(e.target.value)}
            autoComplete="current-password"
            required
          />
        </label>
        {login.error && <ErrorNotice error={login.error} />}
        <button type="submit" className="button button-primary" disabled={login.isPending}>
          {login.isPending ? 'Logging in…' : 'Log in'}
        </button>
      </form>
      <section>
        <h2>Without a password</h2>
        <p className="dim">
          Where your command line is logged in, this prints a link that opens the page as you:
        </p>
        <CopyText text="mycloud open" />
      </section>
    </main>
  );
}
