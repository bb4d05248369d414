import { AppError } from '@mycloud/shared';
import { CronExpressionParser } from 'cron-parser';

const words = /^@(hourly|daily|weekly|monthly|yearly)$/;

/**
 * The first time after `after` that a cron expression names in a time zone. A time that the clocks skip in spring comes as soon
 * as they have; one that they repeat in autumn comes once.
 * @throws AppError bad_request for what is no cron expression, no time zone, or names no time at all
 */
export function nextTime(cron: string, timezone: string, after: Date): Date {
  const fields = cron.split(/\s+/);
  if (fields.length !== 5 && !words.test(cron)) {
    throw new AppError('bad_request', `"${cron}" is no schedule: it has ${fields.length} fields, not five`, {
      hint: 'Write minute, hour, day of the month, month and day of the week, such as "0 3 * * *" for each day at three, or @daily.',
    });
  }
  checkTimezone(timezone);
  try {
    return CronExpressionParser.parse(cron, { tz: timezone, currentDate: after }).next().toDate();
  } catch (cause) {
    throw new AppError('bad_request', `"${cron}" is no schedule: ${(cause as Error).message}`, {
      cause,
      hint: 'Such as "0 3 * * *" for each day at three, "*/15 * * * *" for each quarter of an hour.',
    });
  }
}

function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch (cause) {
    throw new AppError('bad_request', `there is no time zone "${timezone}"`, {
      cause,
      hint: 'Write it as Europe/Berlin, America/New_York or UTC.',
    });
  }
}
