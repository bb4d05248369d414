import { execFileSync } from 'node:child_process';

/** Child processes started by tests run dist/: make it match the sources under test. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
