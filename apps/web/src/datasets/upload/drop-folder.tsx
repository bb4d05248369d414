import { useQueryClient } from '@tanstack/react-query';
import { FolderUp } from 'lucide-react';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { Dialog } from '../../ui/dialog.js';
import { bytesText, countText } from '../../ui/format.js';
import { ErrorNotice } from '../../ui/notice.js';
import { DatasetName } from '../dataset-name.js';
import { OwnerChoice } from '../owner-choice.js';
import { type ChosenFolder, folderOfDrop, folderOfInput, treeOf, type UploadTree } from './folder.js';
import { startUpload, useUpload } from './upload.js';

interface Props {
  /** Whose dataset it may become: who is logged in, and teams of his. */
  owners: readonly string[];
  /** The dataset whose next version it becomes; undefined: one that is asked for. */
  dataset?: string;
}

/** A name made of a folder's that may be a dataset's. */
const nameOf = (folder: string): string =>
  folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 63);

/** Takes a folder dropped anywhere on the page, or chosen by the button, and asks once more before it is sent. */
export function DropFolder({ owners, dataset }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [tree, setTree] = useState<UploadTree>();
  const [error, setError] = useState<unknown>();
  const [over, setOver] = useState(false);
  const busy = useIsBusy();
  const take = async (choose: () => Promise<ChosenFolder | undefined>) => {
    setError(undefined);
    try {
      const folder = await choose();
      if (folder) setTree(await treeOf(folder));
    } catch (cause) {
      setError(cause);
    }
  };
  useDrop(setOver, (items) => {
    if (busy) setError(new Error('An upload is under way: wait for its end, or cancel it.'));
    else void take(() => folderOfDrop(items));
  });
  return (
    <>
      <div className="drop">
        <button type="button" className="button" disabled={busy} onClick={() => input.current?.click()}>
          <FolderUp size={15} aria-hidden /> {dataset ? 'Upload a new version' : 'Upload a folder'}
        </button>
        <span className="dim">or drop it anywhere on this page</span>
        <input
          ref={(element) => {
            input.current = element;
            // React knows no such attribute.
            element?.setAttribute('webkitdirectory', '');
          }}
          type="file"
          hidden
          aria-label="Folder to upload"
          onChange={({ target }) => {
            const { files } = target;
            void take(async () => (files ? folderOfInput(files) : undefined)).then(() => {
              // The same folder may be chosen again.
              target.value = '';
            });
          }}
        />
      </div>
      {error !== undefined && <ErrorNotice error={error} />}
      {over && <div className="drop-over">Drop the folder to upload it</div>}
      {tree && <Confirm owners={owners} dataset={dataset} tree={tree} close={() => setTree(undefined)} />}
    </>
  );
}

function useIsBusy(): boolean {
  const upload = useUpload();
  return upload?.type === 'starting' || upload?.type === 'progress';
}

/** Files dragged over the page, and dropped: without this the browser would open them in its place. */
function useDrop(setOver: (over: boolean) => void, onDrop: (items: DataTransferItemList) => void): void {
  const dropped = useEffectEvent(onDrop);
  const hover = useEffectEvent(setOver);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      hover(true);
    };
    const leave = (event: DragEvent) => {
      if (!event.relatedTarget) hover(false);
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      hover(false);
      dropped(event.dataTransfer.items);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
}

function Confirm({ owners, dataset, tree, close }: Props & { tree: UploadTree; close: () => void }) {
  const client = useQueryClient();
  const [owner = '', setOwner] = useState(owners[0]);
  const [name, setName] = useState(dataset ?? nameOf(tree.name));
  const [message, setMessage] = useState('');
  const begin = () => {
    const { files, folders, bytes } = tree;
    startUpload({ tree: { files, folders, bytes }, owner, dataset: name, message }, () => {
      for (const queryKey of [['datasets'], ['dataset', owner, name], ['versions', owner, name]])
        void client.invalidateQueries({ queryKey });
    });
    close();
  };
  return (
    <Dialog title={`Upload ${tree.name}`} onClose={close}>
      <p>
        {countText(tree.files.length, 'file')}, {bytesText(tree.bytes)}
        {tree.leftOut > 0 && `; ${countText(tree.leftOut, 'file')} left out, as the ignore files say`}. Only
        what is not stored yet is sent.
      </p>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          begin();
        }}
      >
        <OwnerChoice owners={owners} owner={owner} setOwner={setOwner} />
        <DatasetName owner={owner} name={name} setName={setName} />
        <label className="field">
          What is new in it (optional)
          <input value={message} onChange={({ target }) => setMessage(target.value)} maxLength={1000} />
        </label>
        {tree.files.length === 0 && <p className="notice">There are no files to upload in it.</p>}
        <div className="buttons">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={tree.files.length === 0}>
            Upload to {name || '…'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
