import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { teamsQuery } from '../api/queries.js';
import { countText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';

/** The teams one is in, as what. */
export function Teams() {
  const found = useQuery(teamsQuery);
  return (
    <section aria-labelledby="teams">
      <h2 id="teams" className="section-title">
        Teams
      </h2>
      <p className="dim">
        A team owns projects and datasets together: viewers read them, members submit and upload, its admins
        also delete and say who is in it.
      </p>
      {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="your teams" />}
      {found.data?.items.length === 0 && (
        <p className="dim">You are in none. An admin of the server makes them.</p>
      )}
      {found.data && found.data.items.length > 0 && (
        <ul className="cards">
          {found.data.items.map(({ name, role, members }) => (
            <li key={name} className="card">
              <h3>
                <Link to={`/teams/${name}`} className="card-link">
                  {name}
                </Link>
              </h3>
              <p className="dim">
                {countText(members, 'member')}
                {role ? ` · you are ${role === 'admin' ? 'an admin' : `a ${role}`}` : ' · you are not in it'}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
