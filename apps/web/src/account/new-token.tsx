import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { call } from '../api/call.js';
import { tokensQuery } from '../api/queries.js';
import { CopyText } from '../ui/copy.js';
import { ErrorNotice } from '../ui/notice.js';

const lasts: [string, number | undefined][] = [
  ['until it is revoked', undefined],
  ['for 7 days', 7],
  ['for 30 days', 30],
  ['for a year', 365],
];

/** Makes a token and shows its secret, this once. */
export function NewToken({ admin }: { admin: boolean }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [worker, setWorker] = useState(false);
  const [expiresInDays, setDays] = useState<number>();
  const create = useMutation({
    mutationFn: () =>
      call('POST /v1/tokens', {
        body: { name: name.trim(), kind: worker ? 'worker' : 'user', expiresInDays },
      }),
    onSuccess: () => {
      setName('');
      void client.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
    // The secret isn't kept once this is left.
    gcTime: 0,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <>
      <form className="new-token" onSubmit={submit}>
        <label>
          <span className="sr-only">What it is for</span>
          <input
            placeholder="what it is for"
            maxLength={100}
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <label>
          <span className="sr-only">How long it is valid</span>
          <select
            value={expiresInDays ?? ''}
            onChange={(event) => setDays(Number(event.target.value) || undefined)}
          >
            {lasts.map(([word, days]) => (
              <option key={word} value={days ?? ''}>
                {word}
              </option>
            ))}
          </select>
        </label>
        {admin && (
          <label className="check">
            <input type="checkbox" checked={worker} onChange={(event) => setWorker(event.target.checked)} />
            for a worker
          </label>
        )}
        <button type="submit" className="button button-primary" disabled={create.isPending}>
          Make a token
        </button>
      </form>
      {create.error && <ErrorNotice error={create.error} />}
      {create.data && (
        <div className="notice new-secret" role="status">
          <div>
            <p>
              The token <strong>{create.data.name}</strong>. It is shown this once: keep it now.
            </p>
            <CopyText text={create.data.token} label="Copy the token" />
          </div>
          <button type="button" className="button" onClick={() => create.reset()}>
            I have it
          </button>
        </div>
      )}
    </>
  );
}
