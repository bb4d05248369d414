import { access, cp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, nearest } from '@mycloud/shared';
import { openSession } from '../context.js';
import { jobFileNames, writeFolder } from '../folder.js';
import { hint, print, printJson } from '../output.js';
import { checkedName, ensureProject } from '../projects.js';

const ignoreText = `# Files that are not uploaded with the code (gitignore syntax).
.git/
.venv/
node_modules/
__pycache__/
.ipynb_checkpoints/
.DS_Store
*.swp
/output/
/output-*/
`;

const jobFileText = `# What \`mycloud run\` is to run here, unless its flags say otherwise. Take away the # of what you want.
#
#machine: gpu
#env: keras-2.15
#input:
#  - source: lab/datasets/dogsvscats/1
#    destination: input
#  - lab/projects/dogsvscats/12/output:model
#description: a first try
#max_runtime: 2h
#tensorboard: true
#command: python train.py
#
# Several ways to run it, for \`mycloud run --task evaluate\`; what a task doesn't say is as above.
#
#task:
#  evaluate:
#    machine: cpu
#    command: python evaluate.py
`;

export async function init(
  name: string,
  { template, json }: { template?: string; json?: boolean },
): Promise<void> {
  const [, owner, project = ''] = /^(?:([^/]+)\/(?:projects\/)?)?(.*)$/s.exec(name) ?? [];
  checkedName(project, 'project');
  const session = await openSession();
  const at = { owner: owner ?? (await session.me()).name, project };
  const files = template ? await templateFiles(template) : undefined;
  const made = await ensureProject(session, at);
  await writeFolder({ project: `${at.owner}/${at.project}` });
  await writeUnlessThere('.mycloudignore', ignoreText);
  for (const file of files ?? [])
    await cp(file, path.basename(file), { errorOnExist: true, force: false, recursive: true });
  if (!(await isAnyThere(jobFileNames))) await writeFile('mycloud.yml', jobFileText);
  const full = `${at.owner}/projects/${at.project}`;
  if (json) return printJson({ project: full, created: made });
  print(`Project ${full} ${made ? 'was made' : 'is there'}; this folder belongs to it now.`);
  if (template) hint('README.md says how to run it.');
  else hint(`Run something: mycloud run --data NAME:input --gpu "train --logdir /output/Graph"`);
}

async function isAnyThere(names: string[]): Promise<boolean> {
  const there = await Promise.all(
    names.map((name) =>
      access(name).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
      ),
    ),
  );
  return there.includes(true);
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
