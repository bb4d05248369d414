import { AppError } from '@mycloud/shared/browser';

/** Asks before something is lost. @throws AppError where nobody can be asked, or the answer is no */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new AppError('bad_request', `${question} Nobody can be asked here`, { hint: 'Say yes with -y.' });
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({ message: question, initialValue: false });
  if (answer !== true) throw new AppError('bad_request', 'nothing was deleted');
}
