import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Everything the page needs is in its bundle: it runs where no other host can be reached. */
export default defineConfig({
  root: 'src',
  plugins: [react()],
  // Sources, as vitest and tsc read them: the page needs no other build before its own.
  resolve: { conditions: ['mycloud-source', 'module', 'browser'] },
  logLevel: 'warn',
  worker: { format: 'es' },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL is refused by the policy for scripts and needless for the rest.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
