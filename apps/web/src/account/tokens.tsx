import type { Token } from '@mycloud/shared/browser';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/call.js';
import { tokensQuery } from '../api/queries.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import { timeText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { useNow } from '../ui/now.js';
import { Table } from '../ui/table.js';
import { tell } from '../ui/toast.js';
import { NewToken } from './new-token.js';

/** The tokens there are, by all but their secrets. */
export function Tokens({ admin }: { admin: boolean }) {
  const found = useQuery(tokensQuery);
  const now = useNow();
  const [ending, setEnding] = useState<Token>();
  const day = (iso: string | null, never: string) => (iso ? timeText(iso, now) : never);
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens" className="section-title">
        Tokens
      </h2>
      <p className="dim">
        A token stands for you where you can’t log in: in a script, on another machine, in CI. Its secret is
        shown once.
      </p>
      <NewToken admin={admin} />
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="your tokens" />}
      {found.data && (
        <Table
          label="Your tokens"
          heads={['Name', 'For', 'Last four', 'Made', 'Last used', 'Valid until', '']}
        >
          {found.data.items.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.name}</th>
              <td>{token.kind === 'worker' ? 'a worker' : 'you'}</td>
              <td>
                <code>…{token.last4}</code>
              </td>
              <td className="number">{day(token.createdAt, '')}</td>
              <td className="number">{day(token.lastUsedAt, 'never')}</td>
              <td className="number">{day(token.expiresAt, 'no end')}</td>
              <td>
                <button type="button" className="button button-danger" onClick={() => setEnding(token)}>
                  Revoke<span className="sr-only"> {token.name}</span>
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {ending && <Revoke token={ending} onClose={() => setEnding(undefined)} />}
    </section>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => call('DELETE /v1/tokens/:id', { params: { id: token.id } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: tokensQuery.queryKey });
      onClose();
      tell({ text: `The token ${token.name} was revoked` });
    },
  });
  return (
    <ConfirmDialog
      title={`Revoke ${token.name} (…${token.last4})?`}
      onClose={onClose}
      keep="Keep it"
      action={{ word: 'Revoke the token', pending: 'Revoking…', run: revoke.mutate }}
      work={revoke}
    >
      <p>
        {token.kind === 'worker' ? 'Workers that use it' : 'Whatever uses it'} can’t call any more, from this
        moment on. This can’t be undone.
      </p>
    </ConfirmDialog>
  );
}
