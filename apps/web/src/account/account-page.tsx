import { useQuery } from '@tanstack/react-query';
import { meQuery, storageQuery } from '../api/queries.js';
import { bytesText, fullTime } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { Loading } from '../ui/notice.js';
import { SettingsList } from '../ui/settings-list.js';
import { Teams } from './teams.js';
import { Tokens } from './tokens.js';

/** Who is logged in, what he stores, the teams he is in, and the tokens that stand for him. */
export function AccountPage() {
  const me = useQuery(meQuery);
  const storage = useQuery(storageQuery);
  useHead('Account');
  if (!me.data) return <Loading what="your account" />;
  const rows: [string, string][] = [
    ['Name', me.data.name],
    ['Role', me.data.role],
    ['Since', fullTime(me.data.createdAt)],
  ];
  if (storage.data) {
    const { storedBytes, logicalBytes, quotaBytes } = storage.data;
    const of = quotaBytes === null ? '' : ` of ${bytesText(quotaBytes)}`;
    rows.push(['Stores', `${bytesText(storedBytes)}${of}, for ${bytesText(logicalBytes)} of files`]);
  }
  return (
    <div className="page">
      <h1>Account</h1>
      <SettingsList rows={rows} />
      <Teams />
      <Tokens admin={me.data.role === 'admin'} />
    </div>
  );
}
