import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';
import { isLoggedOut } from './api/call.js';
import { LiveJobs } from './api/live.js';
import { meQuery } from './api/queries.js';
import { ClusterPage } from './cluster/cluster-page.js';
import { DatasetPage } from './datasets/dataset-page.js';
import { DatasetsPage } from './datasets/datasets-page.js';
import { UploadBar } from './datasets/upload/upload-bar.js';
import { InvitePage } from './invite/invite-page.js';
import { JobPage } from './job/job-page.js';
import { JobsPage } from './jobs/jobs-page.js';
import { Shell } from './layout/shell.js';
import { LoginPage } from './login/login-page.js';
import { TensorboardPage } from './tensorboard/tensorboard-page.js';
import { Empty, ErrorNotice, Loading } from './ui/notice.js';

// What is opened less often is got when it is.
const ComparePage = lazy(() =>
  import('./compare/compare-page.js').then((page) => ({ default: page.ComparePage })),
);
const SchedulesPage = lazy(() =>
  import('./schedules/schedules-page.js').then((page) => ({ default: page.SchedulesPage })),
);
const AccountPage = lazy(() =>
  import('./account/account-page.js').then((page) => ({ default: page.AccountPage })),
);
const TeamPage = lazy(() => import('./teams/team-page.js').then((page) => ({ default: page.TeamPage })));
const PeoplePage = lazy(() =>
  import('./people/people-page.js').then((page) => ({ default: page.PeoplePage })),
);
const AuditPage = lazy(() => import('./audit/audit-page.js').then((page) => ({ default: page.AuditPage })));

/** Which page an address leads to. Who isn't logged in is led to the login, and back afterwards. */
export function App() {
  const { pathname, search, hash } = useLocation();
  const me = useQuery(meQuery);
  if (pathname === '/login') return <LoginPage />;
  if (pathname === '/invite') return <InvitePage />;
  if (me.data === null || isLoggedOut(me.error)) {
    const to = pathname + search + hash;
    return <Navigate to={to === '/' ? '/login' : `/login?to=${encodeURIComponent(to)}`} replace />;
  }
  // Who it is, is asked again now and then: a server that is away just then takes nobody's page away.
  if (!me.data)
    return me.error ? (
      <ErrorNotice error={me.error} retry={() => me.refetch()} />
    ) : (
      <Loading what="mycloud" />
    );
  return (
    <LiveJobs>
      <Shell user={me.data}>
        <Suspense fallback={<Loading what="the page" />}>
          <Routes>
            <Route path="/" element={<JobsPage />} />
            <Route path="/jobs" element={<Navigate to={`/${search}`} replace />} />
            <Route path="/:owner/projects/:project" element={<JobsPage />} />
            <Route path="/:owner/projects/:project/:number/:tab?" element={<JobPage />} />
            <Route path="/datasets" element={<DatasetsPage />} />
            <Route path="/:owner/datasets/:dataset/:version?" element={<DatasetPage />} />
            <Route path="/tensorboard" element={<TensorboardPage />} />
            <Route path="/cluster" element={<ClusterPage />} />
            <Route path="/schedules" element={<SchedulesPage />} />
            <Route path="/account" element={<AccountPage />} />
            <Route path="/teams/:team" element={<TeamPage />} />
            <Route path="/people" element={<PeoplePage />} />
            <Route path="/audit" element={<AuditPage />} />
            <Route path="/compare" element={<ComparePage />} />
            <Route
              path="*"
              element={<Empty title="There is no such page">Its address may be mistyped.</Empty>}
            />
          </Routes>
        </Suspense>
        <UploadBar />
      </Shell>
    </LiveJobs>
  );
}
