import { describe, expect, test } from 'vitest'
import { HandClock } from '../hand-clock.test-support.ts'
import {
  beginRotation,
  countMessage,
  dueUpdate,
  hasPath,
  NEVER_ROTATED,
  putOff,
  refusedForGood,
  rotated,
  type Moment,
  type Rotation,
} from './rotation.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A device in a conversation, and a clock that is moved by hand. */
class Diary {
  readonly clock = new HandClock()
  rotation: Rotation
  leaves: number
  returned = 0
  outdated = false

  constructor({ fresh = true, leaves = 2 } = {}) {
    this.leaves = leaves
    this.rotation = beginRotation({ fresh, leaves, now: this.clock.now() })
  }

  due(moment: Moment): string {
    const { rotation, leaves, outdated, returned } = this
    const due = dueUpdate({ rotation, leaves, outdated, now: this.clock.now(), returned, moment })
    return due.kind === 'no' ? 'no' : due.reason
  }

  hear(count = 1): void {
    for (let n = 0; n < count; n++) this.rotation = countMessage(this.rotation, { mine: false })
  }

  say(count = 1): void {
    for (let n = 0; n < count; n++) this.rotation = countMessage(this.rotation, { mine: true })
  }

  update(): void {
    this.rotation = rotated({ ...this.rotation, sealed: this.clock.now() }, this.clock.now())
  }
}

describe('in front of an own message', () => {
  test('a device that came in by a key package replaces its keys first, one with keys of its own does not', () => {
    expect(new Diary({ fresh: false }).due('message')).toBe('joined')
    expect(new Diary({ fresh: true }).due('message')).toBe('no')
  })

  test('a reply is due ten minutes after the last update, and not a moment sooner', async () => {
    const alice = new Diary()
    alice.hear()
    await alice.clock.pass(10 * MINUTE - 1)
    expect(alice.due('message')).toBe('no')
    await alice.clock.pass(1)
    expect(alice.due('message')).toBe('reply')
    alice.update()
    alice.hear()
    expect(alice.due('message')).toBe('no')
  })

  test('whoever only talks to themselves updates for no reply', async () => {
    const alice = new Diary()
    alice.say(500)
    await alice.clock.pass(HOUR)
    expect(alice.due('message')).toBe('no')
  })

  test('in a lively chat of two a reply is due after fifty messages, in a group of thirty after as many per commit', () => {
    const [chat, group] = [new Diary(), new Diary({ leaves: 30 })]
    chat.hear(49)
    expect(chat.due('message')).toBe('no')
    chat.say()
    expect(chat.due('message')).toBe('reply')
    group.hear(749)
    expect(group.due('message')).toBe('no')
    group.hear()
    expect(group.due('message')).toBe('reply')
  })

  test('five hundred messages in five minutes make at most ten updates of a device', async () => {
    const alice = new Diary({ fresh: false })
    let updates = 0
    for (let message = 0; message < 250; message++) {
      if (alice.due('message') !== 'no') {
        updates++
        alice.update()
      }
      alice.say()
      alice.hear()
      await alice.clock.pass((5 * MINUTE) / 250)
    }
    expect(updates).toBe(10)
  })

  test('a device that is back from an absence updates before it says anything', async () => {
    const alice = new Diary()
    await alice.clock.pass(20 * MINUTE)
    expect(alice.due('message')).toBe('no')
    alice.returned = alice.clock.now()
    expect(alice.due('message')).toBe('returned')
  })

  test('one that lost against another commit lets messages pass for a minute, and is still due by turn', async () => {
    const alice = new Diary()
    alice.hear(50)
    alice.rotation = putOff(alice.rotation, alice.clock.now())
    expect([alice.due('message'), alice.due('turn')]).toEqual(['no', 'reply'])
    await alice.clock.pass(MINUTE)
    expect(alice.due('message')).toBe('reply')
    alice.update()
    expect([alice.due('message'), alice.due('turn')]).toEqual(['no', 'no'])
  })

  test('joiners of a large group wait for their turn, joiners of a small one do not', async () => {
    const large = new Diary({ fresh: false, leaves: 9 })
    expect([large.due('message'), large.due('turn')]).toEqual(['no', 'joined'])
    await large.clock.pass(MINUTE)
    expect(large.due('message')).toBe('joined')
    expect(new Diary({ fresh: false, leaves: 8 }).due('message')).toBe('joined')
  })
})

describe('of its own accord', () => {
  test('a device that has joined replaces its keys, also when it never writes', () => {
    expect(new Diary({ fresh: false }).due('turn')).toBe('joined')
  })

  test('a device that only reads updates daily while somebody writes, and never in silence', async () => {
    const alice = new Diary()
    await alice.clock.pass(25 * HOUR)
    expect(alice.due('turn')).toBe('no')
    alice.hear()
    expect(alice.due('turn')).toBe('daily')
    alice.update()
    alice.hear(1000)
    await alice.clock.pass(24 * HOUR - 1)
    expect(alice.due('turn')).toBe('no')
    await alice.clock.pass(1)
    expect(alice.due('turn')).toBe('daily')
  })

  test('a device that came back updates where something was said, and nowhere else', async () => {
    const [lively, silent] = [new Diary(), new Diary()]
    lively.hear()
    await lively.clock.pass(HOUR)
    for (const diary of [lively, silent]) diary.returned = lively.clock.now()
    expect([lively.due('turn'), silent.due('turn')]).toEqual(['returned', 'no'])
    lively.update()
    lively.hear()
    expect(lively.due('turn')).toBe('no')
  })

  test('a refusal for good is not met by trying again at once', async () => {
    const alice = new Diary({ fresh: false })
    alice.rotation = refusedForGood(alice.rotation, alice.clock.now())
    expect([alice.due('message'), alice.due('turn')]).toEqual(['no', 'no'])
    await alice.clock.pass(6 * HOUR)
    expect([alice.due('message'), alice.due('turn')]).toEqual(['joined', 'joined'])
  })
})

test('alone in a conversation there is nobody to bring keys to', () => {
  expect(new Diary({ fresh: false, leaves: 1 }).due('turn')).toBe('no')
})

test('a clock that was set back makes keys old, and holds nothing up', () => {
  const facts = { leaves: 2, outdated: false, now: 1_800_000_000_000, returned: 0 }
  const ahead = facts.now + 30 * 24 * HOUR
  const rotation = { ...NEVER_ROTATED, updated: ahead, exchanged: 1, heard: true, frontFrom: ahead, turnFrom: ahead }
  expect(dueUpdate({ ...facts, rotation, moment: 'message' })).toEqual({ kind: 'update', reason: 'daily' })
  expect(dueUpdate({ ...facts, rotation, moment: 'turn' })).toEqual({ kind: 'update', reason: 'daily' })
})

test('a return that a clock noted before it was set back makes nobody update again and again', async () => {
  const diary = new Diary()
  diary.returned = diary.clock.now() + HOUR
  diary.hear()
  expect(diary.due('message')).toBe('no')
  expect(diary.due('turn')).toBe('no')
  await diary.clock.pass(HOUR)
  expect(diary.due('message')).toBe('returned')
})

test('keys are as old as the sealing of their commit, however late the log shows it', () => {
  expect(rotated({ ...NEVER_ROTATED, sealed: 5000, exchanged: 9, heard: true }, 9000)).toEqual({ ...NEVER_ROTATED, updated: 5000 })
  expect(rotated({ ...NEVER_ROTATED, sealed: 9000 }, 5000).updated).toBe(5000)
})

test('a commit that only adds heals nobody', () => {
  expect(hasPath({ adds: true, removes: false, policyChanged: false })).toBe(false)
  expect(hasPath({ adds: false, removes: false, policyChanged: false })).toBe(true)
  expect(hasPath({ adds: true, removes: true, policyChanged: false })).toBe(true)
})

test('a certificate that was renewed is brought in, even where nobody writes and nobody else is', () => {
  for (const leaves of [1, 2, 500]) {
    const diary = new Diary({ leaves })
    expect(diary.due('turn')).toBe('no')
    diary.outdated = true
    expect(diary.due('turn')).toBe('certificate')
    expect(diary.due('message')).toBe('certificate')
    diary.rotation = refusedForGood(diary.rotation, diary.clock.now())
    expect(diary.due('turn')).toBe('no')
  }
})
