import { Link } from 'react-router';
import { compareAddress, mostCompared } from '../compare/address.js';
import { countText } from '../ui/format.js';
import { choose, useChosen } from './chosen.js';

/** What is done with the jobs that are chosen; it stays in sight. */
export function ChosenBar() {
  const names = useChosen();
  if (names.length === 0) return null;
  const some = names.slice(0, mostCompared);
  return (
    <section className="chosen-bar" aria-label="Chosen jobs">
      <span role="status">
        {countText(names.length, 'job')} chosen
        {names.length > some.length && `; the first ${some.length} can be compared`}
      </span>
      {names.length > 1 ? (
        <Link className="button button-primary" to={compareAddress(some)}>
          Compare ({some.length})
        </Link>
      ) : (
        <span className="dim">Choose another to compare it with</span>
      )}
      <button type="button" className="button" onClick={() => choose([])}>
        Choose none
      </button>
    </section>
  );
}
