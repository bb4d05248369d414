import type { Finding } from '../doctor/check.js';
import { login, reflinks } from '../doctor/client.js';
import { disk, node, postgres, python, size, trainer } from '../doctor/machine.js';
import { server } from '../doctor/server.js';
import { worker } from '../doctor/worker.js';
import { ExitCode } from '../exit.js';
import { print, printJson } from '../output.js';
import { paint } from '../text.js';
import { homeFolder } from '../up/up.js';

const parts = [
  { about: 'client', title: 'This command line', look: () => Promise.all([node(), login(), reflinks()]) },
  {
    about: 'machine',
    title: 'This machine, as a server or worker',
    look: async () =>
      (
        await Promise.all([size(), disk(homeFolder(undefined)), postgres(), worker(), python(), trainer()])
      ).flat(),
  },
  { about: 'server', title: 'The server', look: server },
] as const;

/** Looks at this machine and at the server one is logged in to; exits with 1 when something can't work. */
export async function doctor({ json }: { json?: boolean }): Promise<void> {
  const looked = await Promise.all(
    parts.map(async ({ about, title, look }) => ({ about, title, findings: await look() })),
  );
  if (json) {
    printJson({
      findings: looked.flatMap(({ about, findings }) => findings.map((one) => ({ about, ...one }))),
    });
  } else {
    for (const { title, findings } of looked) {
      if (findings.length === 0) continue;
      print(paint(process.stdout).bold(title));
      for (const finding of findings) show(finding);
    }
  }
  const problem = looked.some(({ findings }) => findings.some(({ state }) => state === 'problem'));
  if (problem) throw new ExitCode(1);
}

const nameWidth = 14;

function show({ name, state, text, hint }: Finding): void {
  const c = paint(process.stdout);
  const mark = { ok: c.green('✓'), note: c.yellow('•'), problem: c.red('✗') }[state];
  print(`${mark} ${name.padEnd(nameWidth)} ${text}`);
  if (hint && state !== 'ok') print(c.dim(`${' '.repeat(nameWidth + 3)}${hint}`));
}
