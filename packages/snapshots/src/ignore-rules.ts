import ignore from 'ignore';

/** Read at the top of a folder, gitignore syntax. */
export const defaultIgnoreFiles = ['.mycloudignore', '.floydignore'];

/** What of git's and ours lies in a folder and is no part of it. */
const ownNames = ['.git', '.mycloud.json', '.mycloud-partial-*'];
const ownPath = /(^|\/)(\.git|\.mycloud\.json|\.mycloud-partial-[^/]*)\/?$/;

/**
 * What is left out of an upload: what any of these ignore files says, and what is never a person's own file.
 * @returns whether a path is ignored; a folder's ends in a slash
 */
export function ignoreRules(texts: readonly string[]): (path: string) => boolean {
  // Most folders have no rules of their own: spared are 10 µs a file.
  if (texts.every((text) => text === '')) return (name) => ownPath.test(name);
  const rules = ignore({ ignorecase: false }).add(ownNames);
  for (const text of texts) rules.add(text);
  return (name) => rules.ignores(name);
}
