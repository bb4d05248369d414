// `npm run demo`: from a fresh clone to a trained ConvNet. Installs, builds, starts an embedded server, draws a small
// cats-and-dogs picture set, uploads it, trains on it with --tensorboard, follows the logs, fetches the weights.
//   --exit          stop everything at the end, and exit as the job did
//   --photos DIR    real photographs instead (train/{cats,dogs}, val/{cats,dogs})
//   --epochs N, --port N, --home DIR
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ensure, root } from './ensure.mjs';

const { values: options } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    photos: { type: 'string' },
    epochs: { type: 'string' },
    port: { type: 'string', default: '7070' },
    home: { type: 'string', default: path.join(root, '.mycloud/demo') },
  },
});
const started = Date.now();
ensure();

const home = path.resolve(options.home);
const bin = path.join(root, 'apps/cli/bin/mycloud.mjs');
const paint = (code, text) =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text;
const say = (text) => process.stdout.write(`\n${paint('1;36', text)}\n`);
// The demo's CLI keeps its login to itself: it must not change where the person's own CLI is logged in.
const env = {
  ...process.env,
  XDG_CONFIG_HOME: path.join(home, 'config'),
  XDG_CACHE_HOME: path.join(home, 'cache'),
};
for (const name of ['MYCLOUD_URL', 'MYCLOUD_TOKEN', 'DATABASE_URL', 'REDIS_URL', 'S3_ENDPOINT'])
  delete env[name];

/** Runs `mycloud ARGS` as a person would type it; with `capture`, answers its --json instead of showing it. */
function mycloud(args, { cwd = root, capture = false, allowFailure = false } = {}) {
  if (!capture) {
    const shown = args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ');
    process.stdout.write(`${paint('2', '$')} ${paint('1', `mycloud ${shown}`)}\n`);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args, ...(capture ? ['--json'] : [])], {
      cwd,
      env,
      stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (bytes) => (output += bytes));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0 && !allowFailure) reject(new Error(`mycloud ${args[0]} exited with ${code}`));
      else resolve(capture ? JSON.parse(output) : code);
    });
  });
}

/** The port asked for if it is free, any free one otherwise. */
async function freePort(wanted) {
  for (const port of [wanted, 0]) {
    const got = await new Promise((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => {
        const { port: free } = server.address();
        server.close(() => resolve(free));
      });
    });
    if (got !== undefined) return got;
  }
  throw new Error('no free port');
}

async function startServer(port) {
  const child = spawn(process.execPath, [bin, 'up', '--home', home, '--port', String(port), '--json'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C reaches the demo alone, which stops the server when it is done with it.
    detached: true,
  });
  const lines = createInterface({ input: child.stdout });
  const { url, page } = await new Promise((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`mycloud up exited with ${code}`)));
    lines.on('line', (line) => line.startsWith('{') && resolve(JSON.parse(line)));
  });
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null) return resolve();
      child.once('close', resolve);
      child.kill('SIGTERM');
    });
  return { url, page, stop };
}

async function pictures() {
  if (options.photos) return path.resolve(options.photos);
  const dir = path.join(home, 'pictures');
  if (!existsSync(path.join(dir, 'done'))) {
    const { drawDataset } = await import('@mycloud/trainer/draw');
    const partial = `${dir}.partial`;
    await rm(partial, { recursive: true, force: true });
    await drawDataset(path.join(partial, 'done'), { train: 480, val: 160, seed: 7 });
    await rm(dir, { recursive: true, force: true });
    await mkdir(path.dirname(dir), { recursive: true });
    const { rename } = await import('node:fs/promises');
    await rename(partial, dir);
  }
  return path.join(dir, 'done');
}

/** The losses as two lines of text: one column an epoch. */
function drawCurve(rows) {
  const height = 8;
  const width = Math.max(1, Math.floor(60 / rows.length));
  const all = rows.flatMap((row) => [row.loss, row.val_loss]).filter(Number.isFinite);
  const top = Math.max(...all);
  const bottom = Math.min(...all);
  const level = (value) => Math.round(((value - bottom) / (top - bottom || 1)) * (height - 1));
  const lines = [];
  for (let y = height - 1; y >= 0; y--) {
    const label = (bottom + ((top - bottom) * y) / (height - 1)).toFixed(3).padStart(7);
    const cells = rows.map((row) => {
      const train = level(row.loss) === y;
      const val = level(row.val_loss) === y;
      const mark =
        train && val ? paint('1;33', '◆') : train ? paint('1;34', '●') : val ? paint('1;35', '○') : ' ';
      return mark + ' '.repeat(width - 1 || 1);
    });
    lines.push(`${label} ┤ ${cells.join('')}`);
  }
  lines.push(`        └${'─'.repeat(rows.length * Math.max(2, width) + 1)} epoch`);
  return `${lines.join('\n')}\n          ${paint('1;34', '●')} loss   ${paint('1;35', '○')} val_loss`;
}

async function lossCurve(url, token, name) {
  const [owner, , project, number] = name.split('/');
  const series = async (metric) => {
    const response = await fetch(
      `${url}/v1/projects/${owner}/${project}/jobs/${number}/metrics/series?name=${metric}`,
      {
        headers: { authorization: `Bearer ${token}` },
      },
    );
    return (await response.json()).points ?? [];
  };
  const [loss, valLoss, valAcc] = await Promise.all(['loss', 'val_loss', 'val_acc'].map(series));
  return loss.map((point, i) => ({
    loss: point.value,
    val_loss: valLoss[i]?.value,
    val_acc: valAcc[i]?.value,
  }));
}

say('Starting an embedded server (PostgreSQL, api, one worker)');
const server = await startServer(await freePort(Number(options.port)));
let code = 1;
try {
  process.stdout.write(
    `It listens at ${server.url}; its data lies in ${path.relative(process.cwd(), home) || '.'}\n`,
  );
  process.stdout.write(`The page, to look on (this link opens it once): ${paint('1', server.page)}\n`);

  say(options.photos ? 'Uploading your photographs' : 'Drawing cats and dogs, and uploading them');
  const photos = await pictures();
  const version = await mycloud(['data', 'upload', 'dogsvscats', '--dir', photos], { capture: true });
  process.stdout.write(`dataset ${paint('1', version.name)}: ${version.files} files\n`);

  say('Training the tutorial’s ConvNet');
  const folder = path.join(home, 'dogsvscats');
  await mkdir(folder, { recursive: true });
  await mycloud(['init', 'dogsvscats'], { cwd: folder });
  // The tutorial trains for 100 epochs. A few show more with smaller and more steps: the first ones of rmsprop are large.
  const steps = '--batch-size 16 --lr 0.0005';
  const drawn = options.photos ? '' : ' --image-size 96 --train-samples 480 --val-samples 160';
  const epochs = options.epochs ?? (options.photos ? '3' : '8');
  const command = `train --logdir /output/Graph ${steps}${drawn} --epochs ${epochs} --seed 1`;
  code = await mycloud(
    [
      'run',
      '--data',
      `${version.name}:input`,
      '--gpu',
      '--tensorboard',
      '--follow',
      '--exit-status',
      command,
    ],
    { cwd: folder, allowFailure: true },
  );

  const [job] = (await mycloud(['status'], { cwd: folder, capture: true })).items;
  const { token } = JSON.parse(await readFile(path.join(env.XDG_CONFIG_HOME, 'mycloud/config.json'), 'utf8'));
  const rows = await lossCurve(server.url, token, job.name);
  if (rows.length > 0) {
    say('What it learned');
    process.stdout.write(`${drawCurve(rows)}\n`);
    const best = Math.max(...rows.map((row) => row.val_acc ?? 0));
    process.stdout.write(
      `\nval_acc ${paint('1;32', rows.at(-1).val_acc?.toFixed(3))} at the end, ${best.toFixed(3)} at best\n`,
    );
  }

  say('Fetching what it wrote to /output');
  const output = path.join(home, 'output', String(job.number));
  await mycloud(['output', job.name, '-o', output], { cwd: folder });
  for (const entry of await readdir(output, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      process.stdout.write(`  ${path.relative(process.cwd(), path.join(entry.parentPath, entry.name))}\n`);
  }
  process.stdout.write(`\n${((Date.now() - started) / 1000).toFixed(0)} s in all.\n`);

  if (!options.exit) {
    say(`The server goes on at ${server.url}. Ctrl-C stops it.`);
    const { url: page } = await mycloud(['open', job.name], { cwd: folder, capture: true });
    process.stdout.write(
      `The job's page (this link opens it once; \`mycloud open\` makes another):\n  ${page}\n\n`,
    );
    process.stdout.write(
      `To use it from another terminal:\n  export MYCLOUD_URL=${server.url} MYCLOUD_TOKEN=${token}\n  npx mycloud status\n`,
    );
    await new Promise((resolve) => {
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
    });
    code = 0;
  }
} finally {
  await server.stop();
}
process.exitCode = code;
