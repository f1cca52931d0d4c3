import { expect, test } from 'vitest'
import { dateAndTime, dayName, dayOf, recently, timeOfDay } from './when.ts'

const newYear = Date.UTC(2026, 11, 31, 23, 30)

test('one moment is shown in the zone of the reader', () => {
  expect(dateAndTime(newYear, 'UTC')).toBe('2026-12-31 23:30')
  expect(dateAndTime(newYear, 'Asia/Tokyo')).toBe('2027-01-01 08:30')
  expect(timeOfDay(newYear, 'America/New_York')).toBe('18:30')
  expect(dayName(newYear, 'Asia/Tokyo')).toBe('Friday 1 January 2027')
})

test('a day ends at midnight of the reader, not of the server', () => {
  expect(dayOf(newYear, 'Asia/Tokyo')).not.toBe(dayOf(newYear, 'UTC'))
})

test('a time of today needs no date', () => {
  expect(recently({ time: newYear, now: newYear + 60_000, zone: 'UTC' })).toBe('23:30')
  expect(recently({ time: newYear, now: newYear + 3_600_000, zone: 'UTC' })).toBe('2026-12-31')
})
