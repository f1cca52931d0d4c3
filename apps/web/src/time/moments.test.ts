import { describe, expect, test } from 'vitest'
import { momentsFor } from './moments.ts'

const at = (text: string) => Date.parse(text)
const berlin = momentsFor({ locale: 'en-GB', timeZone: 'Europe/Berlin' })
const newYork = momentsFor({ locale: 'en-US', timeZone: 'America/New_York' })

describe('times are written in the reader’s zone', () => {
  test('the wire’s UTC becomes the clock on the wall', () => {
    expect(berlin.clock(at('2026-11-21T13:03:00Z'))).toBe('14:03')
    expect(newYork.clock(at('2026-11-21T13:03:00Z'))).toMatch(/^8:03\sAM$/)
  })

  test('one moment belongs to different days for different readers', () => {
    const moment = at('2026-11-21T23:30:00Z')
    expect(berlin.dayKey(moment)).toBe('2026-11-22')
    expect(newYork.dayKey(moment)).toBe('2026-11-21')
  })
})

describe('a day is called by what people call it', () => {
  const now = at('2026-11-21T09:00:00Z')

  test('today and yesterday by their names, this week by its weekday, then by date', () => {
    expect(berlin.day(at('2026-11-21T00:10:00Z'), now)).toBe('Today')
    expect(berlin.day(at('2026-11-20T22:00:00Z'), now)).toBe('Yesterday')
    expect(berlin.day(at('2026-11-17T12:00:00Z'), now)).toBe('Tuesday')
    expect(berlin.day(at('2026-03-12T12:00:00Z'), now)).toBe('12 March')
    expect(berlin.day(at('2025-03-12T12:00:00Z'), now)).toBe('12 March 2025')
  })

  test('midnight parts the days, even a minute apart', () => {
    const afterMidnight = at('2026-11-20T23:01:00Z')
    expect(berlin.day(at('2026-11-20T22:59:00Z'), afterMidnight)).toBe('Yesterday')
    expect(berlin.day(afterMidnight, afterMidnight)).toBe('Today')
  })

  test('the short day of a change to summer time is still yesterday', () => {
    expect(berlin.day(at('2026-03-28T23:30:00Z'), at('2026-03-30T00:30:00Z'))).toBe('Yesterday')
  })

  test('in German the words are German', () => {
    const german = momentsFor({ locale: 'de', timeZone: 'Europe/Berlin' })
    expect(german.day(at('2026-11-20T12:00:00Z'), now)).toBe('Gestern')
  })
})

test('a list shows the clock today and less the longer it is past', () => {
  const now = at('2026-11-21T09:00:00Z')
  expect(berlin.brief(at('2026-11-21T08:05:00Z'), now)).toBe('09:05')
  expect(berlin.brief(at('2026-11-20T08:05:00Z'), now)).toBe('Yesterday')
  expect(berlin.brief(at('2026-11-16T08:05:00Z'), now)).toBe('Mon')
  expect(berlin.brief(at('2026-11-01T08:05:00Z'), now)).toBe('01/11/26')
})

test('a clock of another device that runs ahead does not make a message come from tomorrow', () => {
  const now = at('2026-11-21T22:58:00Z')
  expect(berlin.brief(at('2026-11-21T23:01:00Z'), now)).toBe('00:01')
})

test('how long ago is said roughly', () => {
  const now = at('2026-11-21T09:00:00Z')
  expect(berlin.ago(now - 20_000, now)).toBe('this minute')
  expect(berlin.ago(now - 5 * 60_000, now)).toBe('5 minutes ago')
  expect(berlin.ago(now - 3 * 3_600_000, now)).toBe('3 hours ago')
  expect(berlin.ago(now - 26 * 3_600_000, now)).toBe('yesterday')
})
