import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { ownDatasetsQuery } from '../api/queries.js';

/** As the contract has it (packages/shared/src/names.ts): what isn't is refused here before the server does. */
const pattern = '[a-z0-9][a-z0-9._\\-]{0,62}';

interface Props {
  owner: string;
  name: string;
  setName: (name: string) => void;
}

/** Asks for a dataset of one's own, and says what comes of it: a new one, or the next version of which one. */
export function DatasetName({ owner, name, setName }: Props) {
  const list = useId();
  const known = useQuery(ownDatasetsQuery(owner));
  const found = known.data?.items.find((dataset) => dataset.name === name);
  return (
    <div className="field">
      <label htmlFor={`${list}-name`}>Dataset</label>
      <input
        id={`${list}-name`}
        aria-describedby={`${list}-says`}
        required
        pattern={pattern}
        title="Lower-case letters, digits, “.”, “_” and “-”, at most 63"
        list={list}
        value={name}
        onChange={({ target }) => setName(target.value)}
        autoComplete="off"
      />
      <datalist id={list}>
        {known.data?.items.map((dataset) => (
          <option key={dataset.id} value={dataset.name} />
        ))}
      </datalist>
      <small className="dim" id={`${list}-says`} role="status">
        {name === ''
          ? 'Of a name that there is already it becomes the next version.'
          : found
            ? `It becomes the version after ${owner}/datasets/${name}/${found.latest?.number ?? 0}.`
            : `It becomes a new dataset, ${owner}/datasets/${name}.`}
      </small>
    </div>
  );
}
