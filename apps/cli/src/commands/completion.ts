import { scripts } from '../completion/scripts.js';
import { print, printJson } from '../output.js';

/** Prints the script that lets a shell complete `mycloud`. */
export function completion(shell: keyof typeof scripts, { json }: { json?: boolean }): void {
  if (json) printJson({ shell, script: scripts[shell] });
  else print(scripts[shell]);
}
