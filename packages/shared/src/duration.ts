const seconds = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads seconds, or 90s, 30m, 2h, 1d. @returns undefined for what is no time of a second or more */
export function parseSeconds(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])?$/.exec(text.trim());
  if (!match || Number(match[1]) === 0) return undefined;
  return Number(match[1]) * seconds[(match[2] ?? 's') as keyof typeof seconds];
}

/** The shortest that parseSeconds reads as the same. */
export function secondsText(count: number): string {
  const unit = (['d', 'h', 'm'] as const).find((one) => count > 0 && count % seconds[one] === 0) ?? 's';
  return `${count / seconds[unit]}${unit}`;
}
