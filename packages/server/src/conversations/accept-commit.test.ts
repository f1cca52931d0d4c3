import { Refusal } from '@tacit/contract'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { commit, converse, DAY, messageOf, newConversation, openRooms, outcomeOf, type Rooms } from '../delivery/rooms.test-support.ts'
import { framedHandshake } from '../delivery/framing.test-support.ts'
import { newPerson, type Person } from '../identity.test-support.ts'
import { PublicGroups } from './public-groups.ts'

let rooms: Rooms
const [alice, bob, carol] = await Promise.all([newPerson(), newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

const welcomes = async (): Promise<number> => (await rooms.ledger.welcomes()).length
const treeRows = () => rooms.database.kysely.selectFrom('tree_node').select(['node', 'from_epoch']).execute()
const treeNodes = async (): Promise<number> => (await treeRows()).length

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
    const people = [alice, ...(await Promise.all(Array.from({ length: 63 }, () => newPerson())))]
    const conversation = await converse(rooms, people)
    const counters = new Map(people.map((person, at) => [person, at === 0 ? 1 : 0]))
    for (let epoch = 1; epoch <= 2; epoch++) {
      const sealing = people.map((person) => rooms.seats.seal(person, { conversation, clientSeq: (counters.get(person) ?? 0) + 1 }))
      const bodies = await Promise.all(sealing)
      const outcomes = await Promise.allSettled(
        people.map((person, at) => rooms.conversations.commit(person, bodies[at] ?? framedCommit(conversation))),
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

  test('DS1: one that another server overtakes while this one reads is told where the log stands', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const [hers, his] = [
      await rooms.seats.seal(alice, { conversation, clientSeq: 2 }),
      await rooms.seats.seal(bob, { conversation, clientSeq: 1 }),
    ]
    const elsewhere = rooms.newConversations()
    const at = vi.spyOn(PublicGroups.prototype, 'at').mockImplementationOnce(async function (this: PublicGroups, ...asked) {
      await elsewhere.commit(bob, his)
      return this.at(...asked)
    })
    const late = rooms.newConversations().commit(alice, hers)
    await expect(late).rejects.toMatchObject({ failure: 'stale_epoch', details: { epoch: 2, head: 2 } })
    at.mockRestore()
  })

  test('DS8: of 8 devices that all commit at once again and again, each wins within as many rounds and a few', async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => newPerson()))
    const conversation = await converse(rooms, people)
    const winners = new Set<Person>()
    const counters = new Map(people.map((person, at) => [person, at === 0 ? 1 : 0]))
    for (let round = 1; round <= people.length + 4; round++) {
      const sealing = people.map((person) => rooms.seats.seal(person, { conversation, clientSeq: (counters.get(person) ?? 0) + 1 }))
      const bodies = await Promise.all(sealing)
      await Promise.allSettled(
        people.map(async (person, at) => {
          const body = bodies[at] ?? framedCommit(conversation)
          await rooms.conversations.commit(person, body)
          counters.set(person, body.clientSeq)
          winners.add(person)
        }),
      )
    }
    expect(winners.size).toBe(people.length)
  })

  test('somebody comes in whoever has the next moment to themselves, and an answer that was lost is given again', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const late = await rooms.seats.seal(alice, { conversation, clientSeq: 2 })
    const first = await rooms.seats.seal(bob, { conversation, clientSeq: 1 })
    await rooms.conversations.commit(bob, first)
    for (let race = 0; race < 3; race++) expect(await outcomeOf(rooms.conversations.commit(alice, late))).toBe('stale_epoch')
    expect(await outcomeOf(commit(rooms, bob, { conversation, clientSeq: 2 }))).toBe('busy')
    expect(await rooms.conversations.commit(bob, first)).toMatchObject({ duplicate: true })
    expect(await outcomeOf(commit(rooms, bob, { conversation, clientSeq: 2, added: [carol] }))).toBe('accepted')
  })

  test('DS2: when the welcome cannot be stored, nothing of the commit is', async () => {
    const conversation = await converse(rooms, [alice])
    const before = await treeRows()
    const adding = await rooms.seats.seal(alice, { conversation, clientSeq: 1, added: [bob] })
    await rename('welcome', 'elsewhere')
    await expect(rooms.conversations.commit(alice, adding)).rejects.toThrow(/welcome/)
    expect(await rooms.conversations.show(alice, conversation)).toMatchObject({ epoch: 0, head: 0, clientSeq: 0 })
    expect(await outcomeOf(rooms.conversations.show(bob, conversation))).toBe('not_found')
    expect(await treeRows()).toEqual(before)
    await rename('elsewhere', 'welcome')
    expect(await rooms.conversations.commit(alice, adding)).toMatchObject({ seq: 1, epoch: 1, duplicate: false })
    expect(await welcomes()).toBe(1)
  })

  test('sent again is answered as before, whatever the epoch is by then, and changes nothing', async () => {
    const conversation = await converse(rooms, [alice])
    const adding = await rooms.seats.seal(alice, { conversation, clientSeq: 1, added: [bob] })
    const first = await rooms.conversations.commit(alice, adding)
    await commit(rooms, alice, { conversation, clientSeq: 2 })
    expect(await rooms.conversations.commit(alice, adding)).toEqual({ ...first, duplicate: true })
    expect(await welcomes()).toBe(1)
  })

  test('B-123: that lost the race is refused, and nobody it would have added gets in', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const [hers, his] = [
      await rooms.seats.seal(alice, { conversation, clientSeq: 2 }),
      await rooms.seats.seal(bob, { conversation, clientSeq: 1, added: [carol] }),
    ]
    const outcomes = await Promise.allSettled([rooms.conversations.commit(alice, hers), rooms.conversations.commit(bob, his)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(await rooms.ledger.place(conversation, carol.device)).toBeUndefined()
    expect(await welcomes()).toBe(1)
  })

  test('is refused beyond the most members', async () => {
    await rooms.close()
    rooms = await openRooms({ maxMembers: 2 })
    const conversation = await converse(rooms, [alice, bob])
    expect(await outcomeOf(commit(rooms, alice, { conversation, clientSeq: 2, added: [carol] }))).toBe('too_many')
    expect(await outcomeOf(commit(rooms, alice, { conversation, clientSeq: 2, added: [carol], removed: [bob] }))).toBe('accepted')
  })

  test('in a direct conversation adds devices of its two people and nobody else', async () => {
    const conversation = newConversation()
    await rooms.conversations.create(alice, await rooms.seats.found(alice, { conversation, kind: 'direct', peer: bob.account }))
    expect(await outcomeOf(commit(rooms, alice, { conversation, clientSeq: 1, added: [carol] }))).toBe('not_allowed')
    const theirs = [bob, await newPerson(bob), await newPerson(alice)]
    expect(await outcomeOf(commit(rooms, alice, { conversation, clientSeq: 1, added: theirs }))).toBe('accepted')
  })
})

describe('a removed device', () => {
  test('reads up to the commit that removed it, and every later thing is refused as if there were nothing', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 2, clientSeq: 3 }))
    const page = await rooms.delivery.entries(bob.device, { conversation, after: 0, limit: 10 })
    expect({ head: page.head, seqs: page.entries.map(({ seq }) => seq) }).toEqual({ head: 2, seqs: [2] })
    const hers = await rooms.seats.seal(alice, { conversation, clientSeq: 1 })
    const attempts = [
      rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 2, clientSeq: 1 })),
      rooms.conversations.commit(bob, hers),
      rooms.signals.send(bob.device, { conversation, epoch: 2, keep: true, bytes: new Uint8Array(9) }),
      rooms.conversations.show(bob, conversation),
      rooms.conversations.groupInfo(bob, conversation),
      rooms.conversations.tree(bob, { conversation, epoch: 2 }),
    ]
    expect(await Promise.all(attempts.map(outcomeOf))).toEqual(attempts.map(() => 'not_found'))
    expect((await rooms.conversations.list(bob, { limit: 10 })).conversations).toEqual([])
  })

  test('is still told what became of its last message', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const last = messageOf({ conversation, epoch: 1, clientSeq: 1 })
    const accepted = await rooms.delivery.send(bob.device, last)
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    expect(await rooms.delivery.send(bob.device, last)).toEqual({ ...accepted, duplicate: true })
  })

  test('that is added again reads what it was there for, then from there on, and its counter goes on', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 1 }))
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    await commit(rooms, alice, { conversation, clientSeq: 3, added: [bob] })
    expect(await rooms.conversations.show(bob, conversation)).toMatchObject({ joined: true, clientSeq: 1 })
    const seqsAfter = async (after: number) => {
      const { entries } = await rooms.delivery.entries(bob.device, { conversation, after, limit: 10 })
      return entries.map(({ seq }) => seq)
    }
    expect(await seqsAfter(1)).toEqual([2, 3])
    // The commit that brings it back is for the others; it comes in by its Welcome.
    expect(await seqsAfter(3)).toEqual([])
    expect(await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 3, clientSeq: 2 }))).toMatchObject({ seq: 5 })
  })
})

describe('joining by an own commit', () => {
  test('is open to a device whose account is in the conversation, and to nobody else', async () => {
    const laptop = await newPerson(alice)
    const conversation = await converse(rooms, [alice, bob])
    const joining = await rooms.seats.sealJoin(laptop, { conversation, clientSeq: 1 })
    expect(await outcomeOf(rooms.conversations.commit(carol, joining))).toBe('not_found')
    expect((await rooms.conversations.list(laptop, { limit: 10 })).conversations).toMatchObject([{ conversation, joined: false }])
    expect(await rooms.conversations.commit(laptop, joining)).toMatchObject({ seq: 2, epoch: 2, duplicate: false })
    expect(await rooms.conversations.commit(laptop, joining)).toMatchObject({ seq: 2, epoch: 2, duplicate: true })
    expect(await rooms.conversations.show(laptop, conversation)).toMatchObject({ joined: true, clientSeq: 1 })
  })

  test('may replace its own leaf and nobody else’s', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const again = await rooms.seats.sealJoin(bob, { conversation, clientSeq: 1, replaces: bob })
    expect(await rooms.conversations.commit(bob, again)).toMatchObject({ seq: 2 })
    expect(await rooms.ledger.place(conversation, bob.device)).toMatchObject({ fromSeq: 2, toSeq: null, cursor: 2, clientSeq: 1 })
    const tablet = await newPerson(bob)
    const pushing = await rooms.seats.sealJoin(tablet, { conversation, clientSeq: 1, replaces: alice })
    expect(await outcomeOf(rooms.conversations.commit(tablet, pushing))).toBe('not_allowed')
    expect(await rooms.conversations.show(alice, conversation)).toMatchObject({ epoch: 2, joined: true })
  })
})

describe('what is no commit for this place', () => {
  test('is refused before anything is read for it', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const good = await rooms.seats.seal(alice, { conversation, clientSeq: 2 })
    const refusals = {
      malformed: [
        { ...good, commit: new Uint8Array() },
        { ...good, commit: framedHandshake({ conversation: newConversation(), epoch: 1 }) },
        { ...good, commit: framedHandshake({ conversation, epoch: 2 }) },
        { ...good, commit: good.commit.slice(0, -5) },
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
  test('twice by the same device is answered as before, by another it is refused', async () => {
    const conversation = newConversation()
    const asked = await rooms.seats.found(alice, { conversation })
    for (let time = 0; time < 2; time++) expect(await rooms.conversations.create(alice, asked)).toEqual({ conversation })
    expect(await outcomeOf(rooms.conversations.create(bob, await rooms.seats.found(bob, { conversation })))).toBe('already_exists')
  })

  test('a direct one is unique for two people, whoever of them asks, also at once', async () => {
    const asked = async (who: Person, peer: Person) =>
      rooms.conversations.create(who, await rooms.seats.found(who, { conversation: newConversation(), kind: 'direct', peer: peer.account }))
    const outcomes = await Promise.all([asked(alice, bob), asked(bob, alice), asked(alice, bob)].map(outcomeOf))
    expect(outcomes.toSorted()).toEqual(['accepted', 'direct_exists', 'direct_exists'])
    expect(await outcomeOf(asked(alice, carol))).toBe('accepted')
  })

  test('a direct one needs another person', async () => {
    const body = await rooms.seats.found(alice, { conversation: newConversation() })
    const create = (more: object) => outcomeOf(rooms.conversations.create(alice, { ...body, ...more }))
    expect(await create({ kind: 'direct' })).toBe('malformed')
    expect(await create({ kind: 'direct', peer: alice.account })).toBe('malformed')
    expect(await create({ kind: 'group', peer: bob.account })).toBe('malformed')
  })
})

describe('the tree of an epoch', () => {
  test('is served for the current epoch, and for one that a welcome waits for, until it is acknowledged', async () => {
    const conversation = await converse(rooms, [alice, bob, carol])
    const first = await rooms.conversations.tree(bob, { conversation, epoch: 1 })
    const settled = await treeNodes()
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [carol] })
    await commit(rooms, alice, { conversation, clientSeq: 3 })
    expect(await rooms.conversations.tree(bob, { conversation, epoch: 1 })).toEqual(first)
    expect(await rooms.conversations.tree(carol, { conversation, epoch: 1 })).toEqual(first)
    expect(await outcomeOf(rooms.conversations.tree(carol, { conversation, epoch: 3 }))).toBe('not_found')
    expect(await treeNodes()).toBeGreaterThan(settled)
    for (const { device } of [bob, carol]) await rooms.conversations.acknowledgeWelcomes(device, await welcomesOf(device))
    await commit(rooms, alice, { conversation, clientSeq: 4 })
    await expect(rooms.conversations.tree(bob, { conversation, epoch: 1 })).rejects.toMatchObject({
      failure: 'stale_epoch',
      details: { epoch: 4, head: 4 },
    })
    expect(await treeNodes()).toBeLessThanOrEqual(settled)
  })

  test('is forgotten with the welcomes that are too old', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const settled = await treeNodes()
    await commit(rooms, alice, { conversation, clientSeq: 2 })
    expect(await treeNodes()).toBeGreaterThan(settled)
    rooms.clock.time += 31 * DAY
    await rooms.retention.run()
    expect(await treeNodes()).toBeLessThanOrEqual(settled + 1)
  })

  test('of a commit writes as many rows as its path has nodes, whatever the size of the group', async () => {
    const people = [alice, ...(await Promise.all(Array.from({ length: 31 }, () => newPerson())))]
    const conversation = await converse(rooms, people)
    await commit(rooms, alice, { conversation, clientSeq: 2 })
    const before = Math.max(...(await treeRows()).map((row) => row.from_epoch))
    await commit(rooms, alice, { conversation, clientSeq: 3 })
    expect((await treeRows()).filter((row) => row.from_epoch > before)).toHaveLength(6)
  })

  const welcomesOf = async (device: Person['device']) =>
    (await rooms.ledger.welcomes()).filter((row) => row.device === device).map(({ id }) => id)
})

const framedCommit = (conversation: Parameters<typeof framedHandshake>[0]['conversation']) => ({
  conversation,
  epoch: 0,
  clientSeq: 1,
  commit: framedHandshake({ conversation, epoch: 0 }),
  welcome: null,
  groupInfo: new Uint8Array(1),
})
