import { usage } from './usage.js';

export const json = ['--json', 'print data as JSON on stdout'] as const;

/** A flag that may be given more than once. */
export const collect = (value: string, before: string[] | boolean | undefined): string[] => [
  ...(Array.isArray(before) ? before : []),
  value,
];

/** A flag of which a second would silently win over the first. */
export const once =
  (flag: string) =>
  (value: string, before: string | undefined): string => {
    if (before !== undefined && before !== value)
      throw usage(`${flag} is given twice: ${before} and ${value}; choose one`);
    return value;
  };
