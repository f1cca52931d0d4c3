/** Times for people, in their zone; `zone` is an IANA name and only tests give it. The wire and JSON output are UTC. */

const MINUTE = 60_000

/** "2026-11-21 14:05" */
export const dateAndTime = (time: number, zone?: string): string => format(time, { dateStyle: 'short', timeStyle: 'short' }, zone)

/** "14:05" */
export const timeOfDay = (time: number, zone?: string): string => format(time, { timeStyle: 'short' }, zone)

/** "2026-11-21": equal for two times exactly when they are on one day for the reader. */
export const dayOf = (time: number, zone?: string): string => format(time, { dateStyle: 'short' }, zone)

/** "Saturday 21 November 2026" */
export function dayName(time: number, zone?: string): string {
  const words = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const
  return new Intl.DateTimeFormat('en-GB', { ...words, ...(zone && { timeZone: zone }) }).format(time).replace(',', '')
}

/** The time of day when it was today, otherwise the date. */
export function recently({ time, now, zone }: { time: number; now: number; zone?: string }): string {
  return dayOf(time, zone) === dayOf(now, zone) && time <= now + MINUTE ? timeOfDay(time, zone) : dayOf(time, zone)
}

// Swedish writes dates as ISO 8601 does.
function format(time: number, style: Intl.DateTimeFormatOptions, zone: string | undefined): string {
  return new Intl.DateTimeFormat('sv-SE', { ...style, ...(zone && { timeZone: zone }) }).format(time)
}
