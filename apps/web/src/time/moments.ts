/** Writes points in time the way the reader's language and zone have it. Everything in here is milliseconds since 1970. */

const DAY = 86_400_000

export interface MomentsOptions {
  /** A language tag such as `en-GB`. */
  readonly locale: string
  /** A zone such as `Europe/Berlin`; the reader's own when absent. */
  readonly timeZone?: string
}

export interface Moments {
  /** 14:03 */
  readonly clock: (time: number) => string
  /** "Today", "Yesterday", "Wednesday", "12 March", "12 March 2025". */
  readonly day: (time: number, now: number) => string
  /** For a list: the clock today, "Yesterday", a weekday within a week, else a short date. */
  readonly brief: (time: number, now: number) => string
  /** "12 March 2026 at 14:03", for tooltips. */
  readonly full: (time: number) => string
  /** The same for all times of one calendar day of the reader, different for others. */
  readonly dayKey: (time: number) => string
  /** How long ago, roughly: "5 minutes ago". */
  readonly ago: (time: number, now: number) => string
}

export function momentsFor({ locale, timeZone }: MomentsOptions): Moments {
  const zone = timeZone === undefined ? {} : { timeZone }
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { ...options, ...zone })
  const clock = format({ timeStyle: 'short' })
  const weekday = format({ weekday: 'long' })
  const shortWeekday = format({ weekday: 'short' })
  const date = format({ day: 'numeric', month: 'long' })
  const dateAndYear = format({ day: 'numeric', month: 'long', year: 'numeric' })
  const shortDate = format({ day: '2-digit', month: '2-digit', year: '2-digit' })
  const full = format({ dateStyle: 'long', timeStyle: 'short' })
  const key = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', ...zone })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })

  const dayKey = (time: number) => key.format(time)
  // Calendar days, not spans of 24 hours: counted between the days' own dates, so a change of the clock does not matter.
  const daysAgo = (time: number, now: number) => Math.round((Date.parse(dayKey(now)) - Date.parse(dayKey(time))) / DAY)
  const nearDay = (ago: number) => upperFirst(relative.format(-ago, 'day'), locale)

  return {
    clock: (time) => clock.format(time),
    full: (time) => full.format(time),
    dayKey,
    day(time, now) {
      const ago = daysAgo(time, now)
      if (ago === 0 || ago === 1) return nearDay(ago)
      if (ago > 1 && ago < 7) return upperFirst(weekday.format(time), locale)
      return dayKey(time).slice(0, 4) === dayKey(now).slice(0, 4) ? date.format(time) : dateAndYear.format(time)
    },
    brief(time, now) {
      const ago = daysAgo(time, now)
      if (ago <= 0) return clock.format(time)
      if (ago === 1) return nearDay(ago)
      return ago < 7 ? shortWeekday.format(time) : shortDate.format(time)
    },
    ago: (time, now) => roughly(relative, now - time),
  }
}

const upperFirst = (text: string, locale: string): string => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1)

const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, milliseconds: number])[] = [
  ['day', DAY],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

function roughly(relative: Intl.RelativeTimeFormat, passed: number): string {
  const [unit, length] = steps.find(([, milliseconds]) => passed >= milliseconds) ?? ['minute', 60_000]
  return relative.format(-Math.max(0, Math.floor(passed / length)), unit)
}
