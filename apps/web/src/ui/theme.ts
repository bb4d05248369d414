import { useSyncExternalStore } from 'react';

/** `system` follows the machine; the others are the person's choice. */
type Choice = 'system' | 'light' | 'dark';
const key = 'mycloud-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const stored = (): Choice => {
  const value = localStorage.getItem(key);
  return value === 'light' || value === 'dark' ? value : 'system';
};

/** Writes the choice on the document, where the styles read it. */
export function applyTheme(): void {
  const choice = stored();
  document.documentElement.dataset.theme = choice === 'system' ? (dark.matches ? 'dark' : 'light') : choice;
  for (const tell of listeners) tell();
}
dark.addEventListener('change', applyTheme);

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** The theme that is shown, the choice behind it, and how to go to the next choice. */
export function useTheme() {
  const choice = useSyncExternalStore(subscribe, stored);
  const shown = useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme ?? 'light');
  const next: Choice =
    choice === 'system' ? (shown === 'dark' ? 'light' : 'dark') : choice === 'dark' ? 'light' : 'dark';
  return {
    choice,
    shown,
    next,
    toggle() {
      // The choice that is the machine's own again isn't stored: it follows the machine from then on.
      if ((next === 'dark') === dark.matches) localStorage.removeItem(key);
      else localStorage.setItem(key, next);
      applyTheme();
    },
  };
}
