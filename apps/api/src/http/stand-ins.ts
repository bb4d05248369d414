/**
 * A script for pages of other programs, put before their own: they expect cookies and a storage, which the sandbox has not, and are
 * given some that last as long as the page is open.
 */
export const standIns = `for (const name of ['localStorage', 'sessionStorage']) {
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(String(key)) ?? null,
    setItem: (key, value) => void kept.set(String(key), String(value)),
    removeItem: (key) => void kept.delete(String(key)),
    clear: () => kept.clear(),
    key: (i) => [...kept.keys()][i] ?? null,
    get length() { return kept.size; },
  };
  Object.defineProperty(window, name, { value: storage });
}
Object.defineProperty(document, 'cookie', { get: () => '', set: () => undefined });
`;
