/**
 * What is mounted where, as it stands behind --data and in floyd.yml: SOURCE:FOLDER, the folder `input` where none is said.
 * A job without anything behind it means its output, which had two other names.
 */
export function readMount(text: string): { source: string; name: string } {
  const colon = text.lastIndexOf(':');
  return colon < 0 ? mountOf(text, 'input') : mountOf(text.slice(0, colon), text.slice(colon + 1));
}

export const mountOf = (source: string, folder: string): { source: string; name: string } => ({
  source: source.replace(/\/+$/, '').replace(/^([^/]+\/projects\/[^/]+\/\d+)(\/(files|home))?$/, '$1/output'),
  name: folder.replace(/^\/+|\/+$/g, ''),
});
