// Transpiles every src/**/*.ts of the workspaces to dist/**/*.js, file by file, after generating the Prisma client.
// The page is bundled by Vite, when its sources or the contracts are newer than its bundle.
// The command line is bundled: of the third of a second that `mycloud` took to start, half went into finding 150 files.
// Types are checked apart (npm run types): a build takes a second, and one package's type error stops nobody's run.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bundleCommandLine, transpile, walk } from './compile.mjs';
import { root } from './ensure.mjs';

function generatePrismaClient() {
  const schema = path.join(root, 'prisma/schema.prisma');
  const client = path.join(root, 'apps/api/src/generated/prisma/client.ts');
  if (!existsSync(schema)) return;
  if (existsSync(client) && statSync(client).mtimeMs > statSync(schema).mtimeMs) return;
  // The schema engine isn't needed to generate, and its download host may be out of reach.
  execFileSync(process.execPath, [path.join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
    cwd: root,
    // It says where it found its files on stderr; on a failure execFileSync's error holds that text.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  });
}

const newest = (...folders) =>
  Math.max(...folders.flatMap((dir) => [...walk(dir)].map((file) => statSync(file).mtimeMs)));

async function bundlePage() {
  const web = path.join(root, 'apps/web');
  const bundle = path.join(web, 'dist');
  const sources = newest(
    path.join(web, 'src'),
    ...['shared', 'snapshots', 'tfevents'].map((name) => path.join(root, 'packages', name, 'src')),
  );
  if (
    existsSync(path.join(bundle, 'index.html')) &&
    statSync(path.join(bundle, 'index.html')).mtimeMs > sources
  )
    return;
  // Whoever builds, a test too: React's development build would be three times as large.
  process.env.NODE_ENV = 'production';
  const vite = await import('vite');
  await vite.build({ configFile: path.join(web, 'vite.config.ts'), root: path.join(web, 'src') });
  // Packed once here, not by each answer.
  for (const file of walk(bundle)) {
    if (!/\.(js|css|html|svg)$/.test(file)) continue;
    const bytes = readFileSync(file);
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(`${file}.br`, brotliCompressSync(bytes));
  }
}

generatePrismaClient();
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(path.join(root, group))) {
    const folder = path.join(group, name);
    if (!existsSync(path.join(root, folder, 'src')) || name === 'web' || name === 'cli') continue;
    await transpile(folder, path.join(root, folder, 'dist'), { sourcemap: true });
  }
}
await bundleCommandLine(path.join(root, 'apps/cli/dist'), { sourcemap: true });
await bundlePage();
