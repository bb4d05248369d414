import { execFileSync } from 'node:child_process';

/** Only root may mount a file system that is too small for what is to come. */
export const mayMount = process.platform === 'linux' && process.getuid?.() === 0;

export interface SmallDisk {
  /** Makes room, or takes it. @param size as mount(8) has it: 120m */
  resize(size: string): void;
  /** Gives the folder back. @param when `lazily`: though something has a file of it open; else that is an error */
  unmount(when?: 'lazily'): void;
}

/** Puts a disk of its own below a folder that is there. @param size as mount(8) has it: 24m */
export function mountSmall(folder: string, size: string): SmallDisk {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  return {
    resize: (to) => void execFileSync('mount', ['-o', `remount,size=${to}`, folder]),
    unmount: (when) => void execFileSync('umount', when ? ['--lazy', folder] : [folder]),
  };
}
