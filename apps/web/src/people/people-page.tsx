import { Link } from 'react-router';
import { Teams } from '../account/teams.js';
import { useHead } from '../ui/head.js';
import { Invitations } from './invitations.js';
import { NewTeam } from './new-team.js';
import { Users } from './users.js';

/** For admins of the server: who may log in, who is invited, and the teams. */
export function PeoplePage() {
  useHead('People');
  return (
    <div className="page">
      <h1>People</h1>
      <p className="dim">
        What they did is in the <Link to="/audit">audit trail</Link>.
      </p>
      <Invitations />
      <Users />
      <Teams />
      <NewTeam />
    </div>
  );
}
