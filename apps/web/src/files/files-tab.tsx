import { useSearchParams } from 'react-router';
import { isActive } from '../api/queries.js';
import type { TabProps } from '../job/job-page.js';
import { Empty } from '../ui/notice.js';
import { Explorer } from './explorer.js';

/** What the job was given and what it made: /output, /code and each mount. */
export function FilesTab({ job }: TabProps) {
  const [search, setSearch] = useSearchParams();
  const trees = [
    { name: 'output', snapshotId: job.outputSnapshotId, called: `${job.name}/output`, owner: job.owner },
    { name: 'code', snapshotId: job.codeSnapshotId, called: `${job.name}/code`, owner: job.owner },
    ...job.mounts.map(({ name, snapshotId, source }) => ({
      name,
      snapshotId: snapshotId as string | null,
      called: source,
      owner: source.split('/')[0] ?? '',
    })),
  ];
  const tree = trees.find(({ name }) => name === search.get('tree')) ?? trees[0]!;
  return (
    <>
      <div className="segments" role="radiogroup" aria-label="Tree">
        {trees.map(({ name }) => (
          <label key={name}>
            <input
              type="radio"
              name="tree"
              checked={name === tree.name}
              onChange={() => setSearch({ tree: name }, { replace: true })}
            />
            <span>/{name}</span>
          </label>
        ))}
      </div>
      {tree.snapshotId ? (
        <Explorer
          key={tree.snapshotId}
          snapshotId={tree.snapshotId}
          root={`/${tree.name}`}
          name={tree.called}
          owner={tree.owner}
        />
      ) : tree.name === 'output' ? (
        <Empty title={isActive(job) ? 'Nothing saved yet' : 'It wrote nothing to /output'}>
          {isActive(job)
            ? 'What the job writes to /output appears here once it is saved.'
            : 'Files that a command writes there are kept.'}
        </Empty>
      ) : (
        <Empty title="The job has no code">It was submitted from an empty folder.</Empty>
      )}
    </>
  );
}
