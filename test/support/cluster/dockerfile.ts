import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkout } from './compose.js';

interface Step {
  verb: string;
  rest: string;
}
export interface Stage {
  name: string;
  from: string;
  steps: Step[];
}

/** The stages of deploy/Dockerfile, in order. */
export function readStages(): Stage[] {
  const text = readFileSync(path.join(checkout, 'deploy/Dockerfile'), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  const stages: Stage[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const [, verb = '', rest = ''] = /^(\w+) +(.*)$/.exec(line) ?? [];
    const begun = verb === 'FROM' && /^(\S+) AS (\S+)$/.exec(rest);
    if (begun) stages.push({ from: begun[1]!, name: begun[2]!, steps: [] });
    else stages.at(-1)?.steps.push({ verb, rest });
  }
  return stages;
}

/** What is copied from the checkout, by all stages. */
export const copiedFromCheckout = (stages: Stage[]): string[] =>
  stages.flatMap(({ steps }) =>
    steps
      .filter(({ verb, rest }) => verb === 'COPY' && !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(/ +/).slice(0, -1)),
  );

/**
 * Makes the /app of a stage as the Dockerfile says, without an engine, below `root`: copies what it copies and installs what it
 * installs. What comes of Debian and the build itself, which lies in the checkout, are taken as they are here.
 * @returns where its /app lies
 */
export function makeApp(root: string, name: string): string {
  const stages = readStages();
  const made = new Map<string, string>();
  const at = (stage: string, file: string) => path.join(made.get(stage)!, path.resolve('/app', file));
  const make = (stage: Stage): void => {
    const dir = path.join(root, stage.name);
    made.set(stage.name, dir);
    mkdirSync(path.join(dir, 'app'), { recursive: true });
    const base = stages.find((one) => one.name === stage.from);
    if (base) {
      if (!made.has(base.name)) make(base);
      copyFolder(made.get(base.name)!, dir);
    }
    // The build's own /app is the checkout, which was built before the tests.
    const isBuild = stage.name === 'build';
    for (const { verb, rest } of stage.steps) {
      const [, from, words = rest] = /^--from=(\S+) (.*)$/.exec(rest) ?? [];
      if (from && !made.has(from)) make(stages.find((one) => one.name === from)!);
      if (verb === 'COPY' && !isBuild) {
        const files = words.split(/ +/);
        const to = files.pop()!;
        for (const file of files) {
          const source = from ? at(from, file) : path.join(checkout, file);
          // A folder is copied as what is in it, a file into a folder.
          const intoFolder = to.endsWith('/') && path.extname(file) !== '';
          const target = at(stage.name, intoFolder ? path.join(to, path.basename(file)) : to);
          if (from) copyFolder(source, target);
          else cpSync(source, target, { recursive: true });
        }
      }
      if (verb === 'RUN' && /^npm ci /.test(rest) && !isBuild)
        run(`${rest} --prefer-offline`, path.join(dir, 'app'));
      if (verb === 'RUN' && rest.includes('/built')) run(rest.replaceAll('/built', `${dir}/built`), checkout);
    }
  };
  make(stages.find((stage) => stage.name === name)!);
  return path.join(made.get(name)!, 'app');
}

/** By hard links: nothing that is copied is written to afterwards. */
function copyFolder(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  execFileSync('cp', ['-al', `${source}/.`, target]);
}

function run(command: string, cwd: string): void {
  if (!existsSync(cwd)) throw new Error(`${cwd} is not there for: ${command}`);
  execFileSync('sh', ['-c', command], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}
