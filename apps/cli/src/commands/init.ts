import { cp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, nameSchema, nearest, projectRoutes } from '@mycloud/shared';
import { folderFile, openSession } from '../context.js';
import { hint, print, printJson } from '../output.js';

const ignoreText = `# Files that are not uploaded with the code (gitignore syntax).
.git/
node_modules/
__pycache__/
/output/
/output-*/
`;

export async function init(
  name: string,
  { template, json }: { template?: string; json?: boolean },
): Promise<void> {
  const [owner, project] = name.includes('/') ? name.split(/\/(?:projects\/)?/) : [undefined, name];
  const parsed = nameSchema.safeParse(project);
  if (!parsed.success)
    throw new AppError(
      'bad_request',
      `"${name}" is no name of a project: ${parsed.error.issues[0]?.message}`,
    );
  const session = await openSession();
  const me = await session.me();
  const at = { owner: owner ?? me.name, project: parsed.data };
  const files = template ? await templateFiles(template) : undefined;
  let made = false;
  try {
    await session.client.call(projectRoutes.get, { params: at });
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'not_found') || at.owner !== me.name) throw error;
    await session.client.call(projectRoutes.create, { body: { name: at.project } });
    made = true;
  }
  await writeFile(folderFile, `${JSON.stringify({ project: `${at.owner}/${at.project}` }, null, 2)}\n`);
  await writeUnlessThere('.mycloudignore', ignoreText);
  for (const file of files ?? [])
    await cp(file, path.basename(file), { errorOnExist: true, force: false, recursive: true });
  const full = `${at.owner}/projects/${at.project}`;
  if (json) return printJson({ project: full, created: made });
  print(`Project ${full} ${made ? 'was made' : 'is there'}; this folder belongs to it now.`);
  hint(`Run something: mycloud run --data NAME:input --gpu "train --logdir /output/Graph"`);
}

async function writeUnlessThere(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function templateFiles(name: string): Promise<string[]> {
  const folder = path.join(
    path.dirname(fileURLToPath(import.meta.resolve('@mycloud/trainer'))),
    '../templates',
  );
  const names = await readdir(folder);
  if (!names.includes(name)) {
    const near = nearest(name, names);
    throw new AppError('bad_request', `there is no template "${name}"`, {
      hint: `There are: ${(near.length > 0 ? near : names).join(', ')}.`,
    });
  }
  return (await readdir(path.join(folder, name))).map((file) => path.join(folder, name, file));
}
