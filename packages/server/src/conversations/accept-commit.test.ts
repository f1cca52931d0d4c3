import { Refusal } from '@tacit/contract'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  commitOf,
  converse,
  messageOf,
  newConversation,
  newPerson,
  openRooms,
  outcomeOf,
  type Person,
  type Rooms,
} from '../delivery/rooms.test-support.ts'
import { framedHandshake } from '../delivery/framing.test-support.ts'
import { pairOf } from './commit-rule.ts'

let rooms: Rooms
const [alice, bob, carol] = [newPerson(), newPerson(), newPerson()]

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

const welcomes = async (): Promise<number> => (await rooms.ledger.welcomes()).length

const rename = (from: string, to: string) =>
  rooms.database.write((tx) => sql`alter table ${sql.ref(from)} rename to ${sql.ref(to)}`.execute(tx))

const isBusy = (reason: unknown): boolean => reason instanceof Refusal && reason.failure === 'busy'

describe('a commit', () => {
  test('begins the next epoch, seats who it adds and keeps their welcome until it is acknowledged', async () => {
    const conversation = await converse(rooms, [alice, bob])
    expect(await rooms.conversations.show(bob, conversation)).toMatchObject({ epoch: 1, head: 1, joined: true, clientSeq: 0 })
    expect(await rooms.conversations.show(alice, conversation)).toMatchObject({ joined: true, clientSeq: 1 })
    const [position = 0, ...more] = await rooms.conversations.mail.waiting(bob.device)
    expect(more).toEqual([])
    expect(await rooms.conversations.mail.frame(bob.device, position)).toBeDefined()
    expect(await rooms.conversations.mail.frame(alice.device, position)).toBeUndefined()
    expect(await rooms.conversations.groupInfo(bob, conversation)).toMatchObject({ epoch: 1, head: 1 })
  })

  test('DS1: of 64 commits at once exactly one is accepted in each epoch, and the others hear where the log stands', async () => {
    const people = Array.from({ length: 64 }, () => newPerson())
    const conversation = await converse(rooms, people)
    const counters = new Map(people.map((person, at) => [person, at === 0 ? 1 : 0]))
    for (let epoch = 1; epoch <= 20; epoch++) {
      const outcomes = await Promise.allSettled(
        people.map((person) =>
          rooms.conversations.commit(person, commitOf({ conversation, epoch, clientSeq: (counters.get(person) ?? 0) + 1 })),
        ),
      )
      const winners = people.filter((_, at) => outcomes[at]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const person of winners) counters.set(person, (counters.get(person) ?? 0) + 1)
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled' || isBusy(outcome.reason)) continue
        expect(outcome.reason).toMatchObject({ failure: 'stale_epoch', details: { epoch: epoch + 1, head: epoch + 1 } })
      }
    }
    const log = await rooms.ledger.entries(conversation)
    expect(log.map(({ seq, epoch }) => [seq, epoch])).toEqual(log.map((_, at) => [at + 1, at]))
  })

  test('DS8: of 24 devices that all commit at once again and again, each wins within as many rounds and a few', async () => {
    const people = Array.from({ length: 24 }, () => newPerson())
    const conversation = await converse(rooms, people)
    const winners = new Set<Person>()
    const counters = new Map(people.map((person, at) => [person, at === 0 ? 1 : 0]))
    for (let epoch = 1; epoch <= people.length + 4; epoch++) {
      await Promise.allSettled(
        people.map(async (person) => {
          const clientSeq = (counters.get(person) ?? 0) + 1
          await rooms.conversations.commit(person, commitOf({ conversation, epoch, clientSeq }))
          counters.set(person, clientSeq)
          winners.add(person)
        }),
      )
    }
    expect(winners.size).toBe(people.length)
  })

  test('somebody comes in whoever has the next moment to themselves, and an answer that was lost is given again', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const first = commitOf({ conversation, epoch: 1, clientSeq: 1 })
    await rooms.conversations.commit(bob, first)
    const late = commitOf({ conversation, epoch: 1, clientSeq: 2 })
    for (let race = 0; race < 3; race++) expect(await outcomeOf(rooms.conversations.commit(alice, late))).toBe('stale_epoch')
    expect(await outcomeOf(rooms.conversations.commit(bob, commitOf({ conversation, epoch: 2, clientSeq: 2 })))).toBe('busy')
    expect(await rooms.conversations.commit(bob, first)).toMatchObject({ duplicate: true })
    const adding = commitOf({ conversation, epoch: 2, clientSeq: 2, added: [carol] })
    expect(await outcomeOf(rooms.conversations.commit(bob, adding))).toBe('accepted')
  })

  test('DS2: when the welcome cannot be stored, nothing of the commit is', async () => {
    const conversation = await converse(rooms, [alice])
    await rename('welcome', 'elsewhere')
    const adding = commitOf({ conversation, epoch: 0, clientSeq: 1, added: [bob] })
    await expect(rooms.conversations.commit(alice, adding)).rejects.toThrow(/welcome/)
    expect(await rooms.conversations.show(alice, conversation)).toMatchObject({ epoch: 0, head: 0, clientSeq: 0 })
    expect(await outcomeOf(rooms.conversations.show(bob, conversation))).toBe('not_found')
    await rename('elsewhere', 'welcome')
    expect(await rooms.conversations.commit(alice, adding)).toMatchObject({ seq: 1, epoch: 1, duplicate: false })
    expect(await welcomes()).toBe(1)
  })

  test('sent again is answered as before, whatever the epoch is by then, and changes nothing', async () => {
    const conversation = await converse(rooms, [alice])
    const adding = commitOf({ conversation, epoch: 0, clientSeq: 1, added: [bob] })
    const first = await rooms.conversations.commit(alice, adding)
    await rooms.conversations.commit(alice, commitOf({ conversation, epoch: 1, clientSeq: 2 }))
    expect(await rooms.conversations.commit(alice, adding)).toEqual({ ...first, duplicate: true })
    expect(await welcomes()).toBe(1)
  })

  test('that lost the race is refused, and nobody it would have added gets in', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const [hers, his] = await Promise.allSettled([
      rooms.conversations.commit(alice, commitOf({ conversation, epoch: 1, clientSeq: 2 })),
      rooms.conversations.commit(bob, commitOf({ conversation, epoch: 1, clientSeq: 1, added: [carol] })),
    ])
    expect([hers?.status, his?.status]).toEqual(['fulfilled', 'rejected'])
    expect(await rooms.ledger.place(conversation, carol.device)).toBeUndefined()
    expect(await welcomes()).toBe(1)
  })
})

describe('the membership that a commit declares', () => {
  const cases: readonly (readonly [
    string,
    (conversation: Parameters<typeof commitOf>[0]['conversation']) => ReturnType<typeof commitOf>,
  ])[] = [
    ['an added device without a welcome', (conversation) => ({ ...adding(conversation, [carol]), welcomes: [] })],
    [
      'a welcome for nobody who is added',
      (conversation) => ({ ...adding(conversation, []), welcomes: adding(conversation, [carol]).welcomes }),
    ],
    [
      'a welcome for somebody else',
      (conversation) => ({ ...adding(conversation, [carol]), welcomes: adding(conversation, [newPerson()]).welcomes }),
    ],
    ['a device twice', (conversation) => adding(conversation, [carol, carol])],
    ['a device that is a member already', (conversation) => adding(conversation, [bob])],
    ['the committer itself as removed', (conversation) => ({ ...adding(conversation, []), removed: [alice.device] })],
    ['a removed device that is no member', (conversation) => ({ ...adding(conversation, []), removed: [carol.device] })],
  ]
  const adding = (conversation: Parameters<typeof commitOf>[0]['conversation'], added: readonly Person[]) =>
    commitOf({ conversation, epoch: 1, clientSeq: 2, added })

  test.each(cases)('is refused with %s, and nothing is consumed', async (_, build) => {
    const conversation = await converse(rooms, [alice, bob])
    expect(await outcomeOf(rooms.conversations.commit(alice, build(conversation)))).toBe('members_mismatch')
    expect(await rooms.conversations.show(alice, conversation)).toMatchObject({ epoch: 1, head: 1, clientSeq: 1 })
  })

  test('is refused when a device is not on its list', async () => {
    await rooms.close()
    rooms = await openRooms({ isListed: (device) => device !== carol.device })
    const conversation = await converse(rooms, [alice, bob])
    expect(await outcomeOf(rooms.conversations.commit(alice, adding(conversation, [carol])))).toBe('members_mismatch')
  })

  test('is refused beyond the most members', async () => {
    await rooms.close()
    rooms = await openRooms({ maxMembers: 2 })
    const conversation = await converse(rooms, [alice, bob])
    expect(await outcomeOf(rooms.conversations.commit(alice, adding(conversation, [carol])))).toBe('too_many')
  })

  test('is refused when a direct conversation would get a third person', async () => {
    const conversation = newConversation()
    await rooms.conversations.create(alice, { conversation, kind: 'direct', peer: bob.account, groupInfo: new Uint8Array(1) })
    const third = commitOf({ conversation, epoch: 0, clientSeq: 1, added: [carol] })
    expect(await outcomeOf(rooms.conversations.commit(alice, third))).toBe('members_mismatch')
    const second = commitOf({ conversation, epoch: 0, clientSeq: 1, added: [bob, newPerson(bob.account), newPerson(alice.account)] })
    expect(await outcomeOf(rooms.conversations.commit(alice, second))).toBe('accepted')
  })
})

describe('a removed device', () => {
  test('reads up to the commit that removed it, and every later thing is refused as if there were nothing', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await rooms.conversations.commit(alice, commitOf({ conversation, epoch: 1, clientSeq: 2, removed: [bob] }))
    await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 2, clientSeq: 3 }))
    const page = await rooms.delivery.entries(bob.device, { conversation, after: 0, limit: 10 })
    expect({ head: page.head, seqs: page.entries.map(({ seq }) => seq) }).toEqual({ head: 2, seqs: [2] })
    const attempts = [
      rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 2, clientSeq: 1 })),
      rooms.conversations.commit(bob, commitOf({ conversation, epoch: 2, clientSeq: 1 })),
      rooms.conversations.commit(bob, commitOf({ conversation, epoch: 2, clientSeq: 1, by: 'joiner' })),
      rooms.signals.send(bob.device, { conversation, epoch: 2, keep: true, bytes: new Uint8Array(9) }),
      rooms.conversations.show(bob, conversation),
      rooms.conversations.groupInfo(bob, conversation),
    ]
    expect(await Promise.all(attempts.map(outcomeOf))).toEqual(attempts.map(() => 'not_found'))
    expect((await rooms.conversations.list(bob, { limit: 10 })).conversations).toEqual([])
  })

  test('is still told what became of its last message', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const last = messageOf({ conversation, epoch: 1, clientSeq: 1 })
    const accepted = await rooms.delivery.send(bob.device, last)
    await rooms.conversations.commit(alice, commitOf({ conversation, epoch: 1, clientSeq: 2, removed: [bob] }))
    expect(await rooms.delivery.send(bob.device, last)).toEqual({ ...accepted, duplicate: true })
  })

  test('that is added again reads from there, and its counter goes on', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 1 }))
    await rooms.conversations.commit(alice, commitOf({ conversation, epoch: 1, clientSeq: 2, removed: [bob] }))
    await rooms.conversations.commit(alice, commitOf({ conversation, epoch: 2, clientSeq: 3, added: [bob] }))
    expect(await rooms.conversations.show(bob, conversation)).toMatchObject({ joined: true, clientSeq: 1 })
    expect((await rooms.delivery.entries(bob.device, { conversation, after: 0, limit: 10 })).entries).toEqual([])
    expect(await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 3, clientSeq: 2 }))).toMatchObject({ seq: 5 })
  })
})

describe('joining by an own commit', () => {
  const laptop = newPerson(alice.account)

  test('is open to a device whose account is in the conversation, and to nobody else', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const joining = commitOf({ conversation, epoch: 1, clientSeq: 1, by: 'joiner' })
    expect(await outcomeOf(rooms.conversations.commit(carol, joining))).toBe('not_found')
    expect((await rooms.conversations.list(laptop, { limit: 10 })).conversations).toMatchObject([{ conversation, joined: false }])
    expect(await rooms.conversations.commit(laptop, joining)).toMatchObject({ seq: 2, epoch: 2, duplicate: false })
    expect(await rooms.conversations.commit(laptop, joining)).toMatchObject({ seq: 2, epoch: 2, duplicate: true })
    expect(await rooms.conversations.show(laptop, conversation)).toMatchObject({ joined: true, clientSeq: 1 })
  })

  test('may replace its own leaf and nobody else’s', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const replacing = (removed: readonly Person[]) => commitOf({ conversation, epoch: 1, clientSeq: 1, by: 'joiner', removed })
    expect(await outcomeOf(rooms.conversations.commit(bob, replacing([])))).toBe('members_mismatch')
    expect(await outcomeOf(rooms.conversations.commit(bob, replacing([bob, alice])))).toBe('members_mismatch')
    expect(await rooms.conversations.commit(bob, replacing([bob]))).toMatchObject({ seq: 2 })
    expect(await rooms.ledger.place(conversation, bob.device)).toMatchObject({ fromSeq: 2, toSeq: null, cursor: 2, clientSeq: 1 })
  })
})

describe('what is no commit for this place', () => {
  test('is refused before anything is read for it', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const good = commitOf({ conversation, epoch: 1, clientSeq: 2 })
    const refusals = {
      malformed: [
        { ...good, commit: new Uint8Array() },
        { ...good, commit: framedHandshake({ conversation: newConversation(), epoch: 1 }) },
        { ...good, commit: framedHandshake({ conversation, epoch: 2 }) },
      ],
      unsupported: [
        { ...good, commit: framedHandshake({ conversation, epoch: 1, content: 'proposal' }) },
        { ...good, commit: messageOf({ conversation, epoch: 1, clientSeq: 2 }).bytes },
      ],
    }
    for (const [failure, bodies] of Object.entries(refusals))
      for (const body of bodies) expect(await outcomeOf(rooms.conversations.commit(alice, body))).toBe(failure)
  })
})

describe('opening a conversation', () => {
  const groupInfo = new Uint8Array(3)

  test('twice by the same device is answered as before, by another it is refused', async () => {
    const conversation = newConversation()
    for (let time = 0; time < 2; time++) {
      expect(await rooms.conversations.create(alice, { conversation, kind: 'group', groupInfo })).toEqual({ conversation })
    }
    expect(await outcomeOf(rooms.conversations.create(bob, { conversation, kind: 'group', groupInfo }))).toBe('already_exists')
  })

  test('a direct one is unique for two people, whoever of them asks, also at once', async () => {
    const asked = (who: Person, peer: Person) =>
      rooms.conversations.create(who, { conversation: newConversation(), kind: 'direct', peer: peer.account, groupInfo })
    const outcomes = await Promise.all([asked(alice, bob), asked(bob, alice), asked(alice, bob)].map(outcomeOf))
    expect(outcomes.toSorted()).toEqual(['accepted', 'direct_exists', 'direct_exists'])
    expect(pairOf(alice.account, bob.account)).toBe(pairOf(bob.account, alice.account))
    expect(await outcomeOf(asked(alice, carol))).toBe('accepted')
  })

  test('a direct one needs another person', async () => {
    const create = (more: object) =>
      outcomeOf(rooms.conversations.create(alice, { conversation: newConversation(), kind: 'direct', groupInfo, ...more }))
    expect(await create({})).toBe('malformed')
    expect(await create({ peer: alice.account })).toBe('malformed')
    expect(await create({ kind: 'group', peer: bob.account })).toBe('malformed')
  })
})
