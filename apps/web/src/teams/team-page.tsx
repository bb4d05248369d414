import type { TeamDetail } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { call } from '../api/call.js';
import { meQuery, teamQuery } from '../api/queries.js';
import { DeleteButton } from '../ui/delete-button.js';
import { bytesText, countText, fullTime } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { SettingsList } from '../ui/settings-list.js';
import { Members } from './members.js';

/** A team: who is in it, as what, and what it stores. */
export function TeamPage() {
  const { team = '' } = useParams();
  useHead(team);
  const found = useQuery(teamQuery(team));
  const me = useQuery(meQuery);
  const navigate = useNavigate();
  const manages = found.data?.role === 'admin' || me.data?.role === 'admin';
  return (
    <div className="page">
      <div className="page-head">
        <p className="crumbs">
          <Link to="/account">Account</Link> / Teams
        </p>
        <h1>{team}</h1>
      </div>
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="the team" />}
      {found.data && (
        <>
          <SettingsList rows={rowsOf(found.data)} />
          <Members team={found.data} manages={manages} me={me.data?.name} />
          {manages && found.data.projects + found.data.datasets === 0 && (
            <p>
              <DeleteButton
                name={team}
                word="Delete the team"
                remove={async () => {
                  await call('DELETE /v1/teams/:team', { params: { team } });
                  navigate('/account');
                }}
              >
                <p>It owns no project and no dataset. Its name may be given anew afterwards.</p>
              </DeleteButton>
            </p>
          )}
        </>
      )}
    </div>
  );
}

function rowsOf({ projects, datasets, storage, limits, createdAt }: TeamDetail): [string, string][] {
  const { storedBytes, quotaBytes } = storage;
  const quota = quotaBytes === null ? '' : ` of ${bytesText(quotaBytes)}`;
  const rows: [string, string][] = [
    ['Owns', `${countText(projects, 'project')} and ${countText(datasets, 'dataset')}`],
    ['Stores', bytesText(storedBytes) + quota],
    ['Since', fullTime(createdAt)],
  ];
  if (limits.jobs !== null) rows.push(['Runs at once', countText(limits.jobs, 'job')]);
  if (limits.gpus !== null) rows.push(['Uses at once', countText(limits.gpus, 'GPU')]);
  return rows;
}
