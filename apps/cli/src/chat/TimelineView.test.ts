import { expect, test } from 'vitest'
import { renderToString } from 'ink'
import type { Person, Timeline, TimelineItem } from '@tacit/sdk'
import { box } from './words.ts'
import { TimelineView } from './TimelineView.ts'

const mallory: Person = { account: 'mallory' as Person['account'], handle: 'mallory' }
const time = new Date(2026, 10, 21, 14, 5).getTime()

function says(text: string, seq: number): TimelineItem {
  const message = `message ${seq}` as Extract<TimelineItem, { kind: 'message' }>['message']
  return { kind: 'message', key: message, message, sender: mallory, mine: false, text, time, seq, state: { kind: 'read' } }
}

/** The screen as lines, without colours: whatever control sequence is left in it was let through. */
function screen({ items, rows = 12, anchor }: { items: readonly TimelineItem[]; rows?: number; anchor?: string }): string[] {
  const timeline: Timeline = { items, hasEarlier: false, typing: [] }
  const view = box({ height: rows, width: 40 }, TimelineView({ timeline, anchor, most: rows }))
  const colours = /\u001B\[[0-9;]*m/g // oxlint-disable-line no-control-regex -- ours
  return renderToString(view, { columns: 40 }).replaceAll(colours, '').split('\n')
}

test('a hostile message is shown and does nothing', () => {
  const shown = screen({ items: [says('\u001B[2J\u001B]0;owned\u0007\u009B1A\u202Efdp.exe', 1)] }).join('\n')
  // oxlint-disable-next-line no-control-regex -- the point of the test
  expect(shown).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/)
  expect(shown).toContain('␛[2J')
})

test('the colours of a message are not obeyed either', () => {
  expect(screen({ items: [says('\u001B[8mhidden', 1)] }).join('\n')).toContain('␛[8mhidden')
})

test('the newest message is at the bottom when there are more than fit', () => {
  const items = Array.from({ length: 30 }, (_, seq) => says(`number ${seq}`, seq))
  const shown = screen({ items })
  expect(shown.at(-1)?.trim()).toBe('number 29')
  expect(shown.join('\n')).not.toContain('number 3\n')
})

test('the end of a long message is seen, not its beginning', () => {
  expect(screen({ items: [says(`${'word '.repeat(200)}end`, 1)] }).at(-1)).toContain('end')
})

test('a person who looks back sees what was then the newest, and how to return', () => {
  const items = Array.from({ length: 30 }, (_, seq) => says(`number ${seq}`, seq))
  const shown = screen({ items, anchor: 'message 20' })
  expect(shown.at(-2)?.trim()).toBe('number 20')
  expect(shown.at(-1)).toContain('PgDn')
})
