/** The built file of a thread, by its path under src/ without the ending. Threads run what the build wrote, also when this is read from src (tests). */
export function threadFile(name: string): URL {
  const here = import.meta.url;
  return new URL(here.endsWith('.ts') ? `../dist/${name}.js` : `./${name}.js`, here);
}
