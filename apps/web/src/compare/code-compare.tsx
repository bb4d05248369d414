import { useSearchParams } from 'react-router';
import { TreeDiff } from '../diff/tree-diff.js';
import { useSetInAddress } from '../ui/address.js';
import type { Compared } from './use-compared.js';

/** The code of one of the jobs set against another's: the first and one with other code, until others are chosen. */
export function CodeCompare({ compared }: { compared: Compared[] }) {
  const [search] = useSearchParams();
  const set = useSetInAddress();
  const named = (key: string, other: Compared) =>
    compared.find(({ job }) => job.name === search.get(key)) ?? other;
  const from = named('from', compared[0]!);
  const unlike = compared.find(({ job }) => job.codeSnapshotId !== from.job.codeSnapshotId);
  const to = named('to', unlike ?? compared[1]!);
  const [before, after] = [from.job.codeSnapshotId, to.job.codeSnapshotId];
  const choice = (key: string, chosen: Compared, title: string) => (
    <label>
      <span className="dim">{title}</span>{' '}
      <select value={chosen.job.name} onChange={(event) => set(key, event.target.value)}>
        {compared.map(({ job, word }) => (
          <option key={job.name} value={job.name}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <section aria-labelledby="code">
      <div className="section-head">
        <h2 id="code">Code</h2>
        {choice('from', from, 'from')}
        {choice('to', to, 'to')}
      </div>
      {from === to ? (
        <p className="dim">Choose two different jobs.</p>
      ) : before === null || after === null ? (
        <p className="dim">{before === null ? from.word : to.word} was submitted without code.</p>
      ) : before === after ? (
        <p className="dim">Both ran the very same code.</p>
      ) : (
        <TreeDiff key={`${before} ${after}`} before={before} after={after} />
      )}
    </section>
  );
}
