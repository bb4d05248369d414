import { CommanderError } from 'commander';

async function readStdin(): Promise<string> {
  let text = '';
  for await (const part of process.stdin) text += part;
  return text.trim();
}

/** Asks for a secret at the terminal; elsewhere it is what comes on stdin. @throws CommanderError when it was cancelled */
export async function ask(what: string): Promise<string> {
  if (!process.stdin.isTTY) return readStdin();
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: what });
  if (isCancel(answer)) throw new CommanderError(1, 'cancelled', 'cancelled');
  return answer;
}
