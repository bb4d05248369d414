import { defineConfig } from 'vitest/config';

/** Packages are read from their sources (export condition `mycloud-source`); child processes run what the build wrote to dist/. */
export default defineConfig({
  resolve: { conditions: ['mycloud-source'] },
  ssr: { resolve: { conditions: ['mycloud-source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    globalSetup: ['test/support/global-setup.ts'],
  },
});
