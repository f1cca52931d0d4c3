import { describe, expect, test } from 'vitest'
import { judgeAppend } from './append-rule.ts'

const log = { epoch: 3, head: 10 }
const member = { active: true, clientSeq: 4 }

describe('the rule by which a log grows', () => {
  test('the next counter in the current epoch is appended after the head', () => {
    expect(judgeAppend({ log, membership: member }, { epoch: 3, clientSeq: 5 })).toEqual({ kind: 'append', seq: 11 })
  })

  test('a counter that was used is a repeat, in whatever epoch and even after the device left', () => {
    for (const membership of [member, { active: false, clientSeq: 4 }])
      for (const epoch of [0, 3, 99]) {
        for (const clientSeq of [1, 4]) expect(judgeAppend({ log, membership }, { epoch, clientSeq })).toEqual({ kind: 'repeat' })
      }
  })

  test('a device that never was a member, or left, is refused as if there were nothing', () => {
    for (const membership of [undefined, { active: false, clientSeq: 4 }])
      expect(judgeAppend({ log, membership }, { epoch: 3, clientSeq: 5 })).toEqual({ kind: 'refuse', failure: 'not_found', details: {} })
  })

  test('another epoch is refused with where the log stands, before the counter is looked at', () => {
    for (const epoch of [2, 4])
      expect(judgeAppend({ log, membership: member }, { epoch, clientSeq: 9 })).toEqual({
        kind: 'refuse',
        failure: 'stale_epoch',
        details: { epoch: 3, head: 10 },
      })
  })

  test('a counter that skips is refused with the one expected', () => {
    expect(judgeAppend({ log, membership: member }, { epoch: 3, clientSeq: 6 })).toEqual({
      kind: 'refuse',
      failure: 'out_of_order',
      details: { expected: 5 },
    })
  })
})
