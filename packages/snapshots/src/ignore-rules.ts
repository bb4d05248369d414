import ignore, { type Ignore } from 'ignore';

/** Read at the top of a folder, gitignore syntax. */
export const defaultIgnoreFiles = ['.mycloudignore', '.floydignore'];

/** What is left out of an upload: what any of these ignore files says, and what is never a person's own file. */
export const ignoreRules = (texts: readonly string[]): Ignore =>
  ignore({ ignorecase: false }).add(['.git', '.mycloud.json', '.mycloud-partial-*']).add(texts.join('\n'));
