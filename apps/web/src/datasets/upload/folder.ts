import { defaultIgnoreFiles, ignoreRules, pathFault, quoted } from '@mycloud/snapshots/browser';

/** A file of a folder that a person chose; its path begins below the folder. */
export interface ChosenFile {
  path: string;
  file: File;
}

/** A folder as the browser gives it. */
export interface ChosenFolder {
  name: string;
  files: ChosenFile[];
  /** Paths of folders; of a chosen (not dropped) one a browser tells none that is empty. */
  folders: string[];
}

/** What of a folder goes into a dataset. */
export interface UploadTree {
  name: string;
  files: ChosenFile[];
  folders: string[];
  bytes: number;
  /** Files that the ignore files leave out. */
  leftOut: number;
}

/** The folder of an `<input webkitdirectory>`, or undefined when nothing was chosen. */
export function folderOfInput(list: FileList): ChosenFolder | undefined {
  const files = [...list].map((file) => {
    const [, ...below] = file.webkitRelativePath.split('/');
    return { path: below.join('/'), file };
  });
  const name = list[0]?.webkitRelativePath.split('/')[0];
  if (name === undefined) return undefined;
  return { name, files, folders: [...new Set(files.flatMap(({ path }) => parentsOf(path)))] };
}

/** The one folder that was dropped. @throws Error for files, several folders, or nothing of the kind */
export async function folderOfDrop(items: DataTransferItemList): Promise<ChosenFolder> {
  // Only while the drop is handled does the list say what was dropped.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const [root] = entries;
  if (entries.length !== 1 || !root?.isDirectory) {
    throw new Error('Drop one folder: its files become the dataset.');
  }
  const folder: ChosenFolder = { name: root.name, files: [], folders: [] };
  await walk(root as FileSystemDirectoryEntry, '', folder);
  return folder;
}

async function walk(from: FileSystemDirectoryEntry, prefix: string, folder: ChosenFolder): Promise<void> {
  const reader = from.createReader();
  for (;;) {
    // A browser gives a folder's entries by the hundred.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const entry of some) {
      const path = prefix + entry.name;
      if (entry.isDirectory) {
        folder.folders.push(path);
        await walk(entry as FileSystemDirectoryEntry, `${path}/`, folder);
      } else {
        const file = await new Promise<File>((resolve, reject) =>
          (entry as FileSystemFileEntry).file(resolve, reject),
        );
        folder.files.push({ path, file });
      }
    }
  }
}

const parentsOf = (path: string): string[] => {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
};

/** Leaves out what the folder's ignore files say, as the command line does. @throws Error naming what can't be stored */
export async function treeOf(folder: ChosenFolder): Promise<UploadTree> {
  const texts = await Promise.all(
    defaultIgnoreFiles.map(
      async (name) => (await folder.files.find(({ path }) => path === name)?.file.text()) ?? '',
    ),
  );
  const rules = ignoreRules(texts);
  const ignored = new Map<string, boolean>();
  const isIgnored = (dir: string): boolean => {
    const known = ignored.get(dir);
    if (known !== undefined) return known;
    const parent = dir.slice(0, Math.max(0, dir.lastIndexOf('/')));
    const found = (parent !== '' && isIgnored(parent)) || rules(`${dir}/`);
    ignored.set(dir, found);
    return found;
  };
  const kept = ({ path }: ChosenFile): boolean => {
    const slash = path.lastIndexOf('/');
    return !(slash > 0 && isIgnored(path.slice(0, slash))) && !rules(path);
  };
  const files = folder.files.filter(kept);
  for (const { path } of files) {
    const fault = pathFault(path);
    if (fault) throw new Error(`${quoted(path)} can’t be stored: ${fault}.`);
  }
  // What lies together is packed together.
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    name: folder.name,
    files,
    folders: folder.folders.filter((dir) => !isIgnored(dir)),
    bytes: files.reduce((sum, { file }) => sum + file.size, 0),
    leftOut: folder.files.length - files.length,
  };
}
