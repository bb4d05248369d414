import type { User } from '@mycloud/shared/browser';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import {
  CalendarClock,
  CircleHelp,
  Database,
  LogOut,
  Moon,
  Rows3,
  Server,
  Sun,
  UserRound,
  WifiOff,
} from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { useConnection } from '../api/live.js';
import { ErrorBoundary } from '../ui/error-boundary.js';
import { useKeys } from '../ui/keyboard.js';
import { useTheme } from '../ui/theme.js';
import { ToastPlace } from '../ui/toast.js';
import { Help } from './help.js';

const places = [
  { to: '/', word: 'Jobs', icon: Rows3, holds: /^\/$|^\/[^/]+\/projects\// },
  { to: '/datasets', word: 'Datasets', icon: Database, holds: /^\/datasets$|^\/[^/]+\/datasets\// },
  { to: '/schedules', word: 'Schedules', icon: CalendarClock, holds: /^\/schedules$/ },
  { to: '/cluster', word: 'Cluster', icon: Server, holds: /^\/cluster$/ },
];

export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const { pathname } = useLocation();
  const [help, setHelp] = useState(false);
  useKeys({ '?': () => setHelp(true) });
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/" className="brand" aria-label="mycloud: all jobs">
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
            <rect width="32" height="32" rx="8" fill="var(--accent)" />
            <path d="M8 21.5l4.6-9 4.2 7 3-4.4L24 21.5" className="brand-line" />
          </svg>
          <span>mycloud</span>
        </Link>
        <nav aria-label="Places">
          {places.map(({ to, word, icon: Icon, holds }) => (
            <Link
              key={to}
              to={to}
              aria-label={word}
              className={holds.test(pathname) ? 'active' : undefined}
              aria-current={holds.test(pathname) ? 'page' : undefined}
            >
              <Icon size={16} aria-hidden />
              <span>{word}</span>
            </Link>
          ))}
        </nav>
        <ConnectionMark />
        <ThemeButton />
        <button
          type="button"
          className="icon-button help-button"
          onClick={() => setHelp(true)}
          aria-label="Keyboard help"
        >
          <CircleHelp size={17} aria-hidden />
        </button>
        <UserMenu user={user} />
      </header>
      <main id="main">
        <ErrorBoundary place={pathname}>{children}</ErrorBoundary>
      </main>
      <ToastPlace />
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

function ConnectionMark() {
  if (useConnection() !== 'away') return null;
  return (
    <span className="away" role="status">
      <WifiOff size={15} aria-hidden />
      <span>Reconnecting…</span>
    </span>
  );
}

function ThemeButton() {
  const { shown, next, toggle } = useTheme();
  const Icon = shown === 'dark' ? Moon : Sun;
  return (
    <button
      type="button"
      className="icon-button"
      onClick={toggle}
      aria-label={`Use the ${next} theme`}
      title={`Use the ${next} theme`}
    >
      <Icon size={17} aria-hidden />
    </button>
  );
}

function UserMenu({ user }: { user: User }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const logout = useMutation({
    mutationFn: () => call('DELETE /v1/session', {}),
    onSuccess: () => {
      client.clear();
      navigate('/login');
    },
  });
  return (
    <>
      <Link className="user" to="/account" title={`Logged in as ${user.name}: account and tokens`}>
        <UserRound size={16} aria-hidden />
        <span>{user.name}</span>
      </Link>
      <button
        type="button"
        className="icon-button"
        onClick={() => logout.mutate()}
        aria-label="Log out"
        title="Log out"
      >
        <LogOut size={16} aria-hidden />
      </button>
    </>
  );
}
