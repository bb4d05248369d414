import { useMutation, useQueryClient } from '@tanstack/react-query';
import { DatabaseBackup } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { call } from '../api/call.js';
import { DatasetName } from '../datasets/dataset-name.js';
import { addVersion } from '../datasets/new-version.js';
import { Dialog } from '../ui/dialog.js';
import { ErrorNotice } from '../ui/notice.js';

interface Props {
  snapshotId: string;
  /** Empty: all of it. */
  folder: string;
  owner: string;
  /** What it is called, with the folder: lab/projects/cats/12/output/model */
  from: string;
}

/** Makes a tree, or a folder of one, a version of a dataset. No byte is copied. */
export function MakeDataset({ snapshotId, folder, owner, from }: Props) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: async () => {
      const made = folder
        ? await call('POST /v1/snapshots/:id/folder', { params: { id: snapshotId }, body: { path: folder } })
        : { id: snapshotId };
      return addVersion(owner, name, made.id, `from ${from}`);
    },
    onSuccess: () =>
      Promise.all(
        [['datasets'], ['versions', owner, name]].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
  const show = () => {
    make.reset();
    setOpen(true);
  };
  return (
    <>
      <button type="button" className="button" onClick={show}>
        <DatabaseBackup size={14} aria-hidden /> Make a dataset of this
      </button>
      {open && (
        <Dialog title="Make a dataset" onClose={() => setOpen(false)}>
          <p>
            Of <code>{from}</code>. Nothing is copied: its bytes are stored once.
          </p>
          {make.data ? (
            <p className="notice" role="status">
              <span>
                It is <Link to={`/${make.data.name}`}>{make.data.name}</Link>.
              </span>
            </p>
          ) : (
            <form
              className="form"
              onSubmit={(event) => {
                event.preventDefault();
                make.mutate();
              }}
            >
              <DatasetName owner={owner} name={name} setName={setName} />
              {make.error && <ErrorNotice error={make.error} />}
              <div className="buttons">
                <button type="button" className="button" onClick={() => setOpen(false)}>
                  Cancel
                </button>
                <button type="submit" className="button button-primary" disabled={make.isPending}>
                  {make.isPending ? 'Making it…' : name ? `Make ${name}` : 'Make it'}
                </button>
              </div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
