import { useSyncExternalStore } from 'react';

const key = 'mycloud-chosen';
const listeners = new Set<() => void>();

function read(): readonly string[] {
  try {
    const names: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    // What something else wrote there is no choice.
    return [];
  }
}
let names = read();

export function choose(next: readonly string[]): void {
  names = next;
  sessionStorage.setItem(key, JSON.stringify(next));
  for (const tell of listeners) tell();
}

/** Takes a job in or out, in the order of choosing. */
export const toggleChosen = (name: string): void =>
  choose(names.includes(name) ? names.filter((one) => one !== name) : [...names, name]);

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Names of the jobs chosen for comparing: they stay chosen whatever is filtered for, in this tab. */
export const useChosen = (): readonly string[] => useSyncExternalStore(subscribe, () => names);
