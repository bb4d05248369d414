import type { FileEntry } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Download, File, Folder, Link2 } from 'lucide-react';
import { Fragment } from 'react';
import { useSearchParams } from 'react-router';
import { archiveUrl } from '../api/call.js';
import { filesQuery } from '../api/queries.js';
import { useRights } from '../api/rights.js';
import { bytesText, countText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { VirtualList } from '../ui/virtual-list.js';
import { MakeDataset } from './make-dataset.js';
import { Preview } from './preview.js';

const entryHeight = 34;

interface Props {
  snapshotId: string;
  /** What the tree is called: /output */
  root: string;
  /** What it is called everywhere: lab/projects/cats/12/output */
  name: string;
  /** Whose it is. */
  owner: string;
}

/** Folders on one side, the chosen file on the other. The place stands in the address. */
export function Explorer({ snapshotId, root, name, owner }: Props) {
  const [search, setSearch] = useSearchParams();
  const folder = search.get('folder') ?? '';
  const path = search.get('file');
  const found = useQuery(filesQuery(snapshotId, folder));
  const rights = useRights(owner);
  const go = (next: { folder?: string; file?: string }) =>
    setSearch((old) => {
      old.delete('file');
      if (next.folder !== undefined) old.set('folder', next.folder);
      if (next.folder === '') old.delete('folder');
      if (next.file) old.set('file', next.file);
      return old;
    });
  const chosen = found.data?.items.find((item) => item.path === path && item.type === 'file');
  return (
    <div className={`explorer ${chosen ? 'has-preview' : ''}`}>
      <section aria-label="Files" className="tree">
        <FolderPath root={root} folder={folder} go={(to) => go({ folder: to })} />
        {found.error && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
        {found.isPending && <Loading what="files" />}
        {found.data?.items.length === 0 && <p className="dim">This folder is empty.</p>}
        <VirtualList items={found.data?.items ?? []} rowHeight={entryHeight} keyOf={(item) => item.path}>
          {(item) => (
            <EntryButton
              item={item}
              chosen={item.path === path}
              open={() => go(item.type === 'dir' ? { folder: item.path } : { file: item.path })}
            />
          )}
        </VirtualList>
        <div className="tree-actions">
          {(['zip', 'tar'] as const).map((format) => (
            <a key={format} className="button" href={archiveUrl(snapshotId, folder, format)} download>
              <Download size={14} aria-hidden /> {folder ? 'This folder' : 'All'} as {format}
            </a>
          ))}
          {rights.submit && (
            <MakeDataset
              key={folder}
              snapshotId={snapshotId}
              folder={folder}
              owner={owner}
              from={folder ? `${name}/${folder}` : name}
            />
          )}
        </div>
      </section>
      {chosen && <Preview key={chosen.path} snapshotId={snapshotId} file={chosen} />}
    </div>
  );
}

function EntryButton({ item, chosen, open }: { item: FileEntry; chosen: boolean; open: () => void }) {
  const Icon = item.type === 'dir' ? Folder : item.type === 'file' ? File : Link2;
  return (
    <button
      type="button"
      className="entry"
      aria-current={chosen || undefined}
      disabled={item.type === 'symlink'}
      onClick={open}
    >
      <Icon size={15} aria-hidden />
      <span className="entry-name" title={item.name}>
        {item.name}
      </span>
      <small className="dim number">
        {item.type === 'dir' ? `${countText(item.files, 'file')}, ` : ''}
        {item.type === 'symlink' ? 'link' : bytesText(item.size)}
      </small>
    </button>
  );
}

function FolderPath({ root, folder, go }: { root: string; folder: string; go: (folder: string) => void }) {
  const parts = folder ? folder.split('/') : [];
  return (
    <nav className="folder-path" aria-label="Folder">
      <button type="button" className="link" onClick={() => go('')}>
        {root}
      </button>
      {parts.map((part, i) => {
        const to = parts.slice(0, i + 1).join('/');
        return (
          <Fragment key={to}>
            <span aria-hidden>/</span>
            <button type="button" className="link" onClick={() => go(to)}>
              {part}
            </button>
          </Fragment>
        );
      })}
    </nav>
  );
}
