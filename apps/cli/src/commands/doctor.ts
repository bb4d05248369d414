import type { Finding } from '../doctor/check.js';
import { disk, node, postgres, python, size, trainer } from '../doctor/machine.js';
import { server } from '../doctor/server.js';
import { worker } from '../doctor/worker.js';
import { ExitCode } from '../exit.js';
import { print, printJson } from '../output.js';
import { paint } from '../text.js';
import { homeFolder } from '../up/up.js';

/** Looks at this machine and at the server one is logged in to; exits with 1 when something can't work. */
export async function doctor({ json }: { json?: boolean }): Promise<void> {
  const looked = await Promise.all([
    node(),
    size(),
    disk(homeFolder(undefined)),
    postgres(),
    worker(),
    python(),
    trainer(),
    server(),
  ]);
  const findings = looked.flat();
  if (json) printJson({ findings });
  else for (const finding of findings) show(finding);
  if (findings.some((finding) => finding.state === 'problem')) throw new ExitCode(1);
}

function show({ name, state, text, hint }: Finding): void {
  const c = paint(process.stdout);
  const mark = { ok: c.green('✓'), note: c.yellow('•'), problem: c.red('✗') }[state];
  print(`${mark} ${name.padEnd(10)} ${text}`);
  if (hint) print(c.dim(`${' '.repeat(13)}${hint}`));
}
