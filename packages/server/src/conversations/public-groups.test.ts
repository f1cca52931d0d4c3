import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMlsEngine } from '@tacit/mls'
import { encode, groupContextCodec, treeOfNodes, type PublicGroup } from '@tacit/mls/public'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commit, converse, newConversation, openRooms, type Rooms } from '../delivery/rooms.test-support.ts'
import { newPerson } from '../identity.test-support.ts'
import { openSqlite } from '../storage/sqlite/sqlite-database.ts'
import { migrations } from '../storage/migrations/index.ts'
import { PublicGroups } from './public-groups.ts'
import { idOf } from './seats.test-support.ts'
import { treeOf } from './groups.store.ts'

let rooms: Rooms
const [alice, bob, carol] = await Promise.all([newPerson(), newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

const essenceOf = (group: PublicGroup | undefined) =>
  group && {
    context: encode(groupContextCodec, group.context),
    transcript: group.interimTranscriptHash,
    tree: group.tree.treeHash(),
    proposals: [...group.proposals.keys()],
  }

describe('a group', () => {
  test('is the same from its rows as from memory, with the proposals that wait', async () => {
    const conversation = await converse(rooms, [alice, bob, carol])
    await commit(rooms, alice, { conversation, clientSeq: 2 })
    const leaving = await rooms.seats.sealProposal(bob, { conversation, clientSeq: 1, removes: bob })
    await rooms.delivery.send(bob.device, leaving)
    const remembered = new PublicGroups(rooms.database)
    const first = essenceOf(await remembered.at(conversation))
    expect(first?.proposals).toHaveLength(1)
    expect(essenceOf(await remembered.at(conversation))).toEqual(first)
    expect(essenceOf(await new PublicGroups(rooms.database).at(conversation))).toEqual(first)
    await commit(rooms, alice, { conversation, clientSeq: 3 })
    const after = essenceOf(await remembered.at(conversation))
    expect(after?.proposals).toEqual([])
    expect(after).toEqual(essenceOf(await new PublicGroups(rooms.database).at(conversation)))
  })

  test('that was used longest ago is forgotten when there are too many leaves, and read again', async () => {
    const [first, second] = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, bob, carol])]
    const groups = new PublicGroups(rooms.database, { mostLeaves: 4 })
    const one = await groups.at(first)
    expect((await groups.at(first))?.tree).toBe(one?.tree)
    const two = await groups.at(second)
    expect((await groups.at(second))?.tree).toBe(two?.tree)
    const again = await groups.at(first)
    expect(again?.tree).not.toBe(one?.tree)
    expect(essenceOf(again)).toEqual(essenceOf(one))
  })

  test('is read as of one epoch, also while another process commits', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const reading = new PublicGroups(rooms.database)
    const seen: Promise<PublicGroup | undefined>[] = []
    for (let clientSeq = 2; clientSeq < 8; clientSeq++) {
      seen.push(reading.at(conversation), new PublicGroups(rooms.database).at(conversation))
      await commit(rooms, alice, { conversation, clientSeq })
    }
    for (const group of await Promise.all(seen)) expect(group?.tree.treeHash()).toEqual(group?.context.treeHash)
  })
})

test('a conversation from before trees were kept in rows has its tree in rows after the migration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-test-'))
  const path = join(folder, 'db.sqlite')
  const conversation = newConversation()
  const engine = await createMlsEngine()
  const made = await engine.createGroup({ groupId: idOf(conversation), identity: alice.identity, policy: new Uint8Array([1]) })
  const earlier = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0003'))
  const old = await openSqlite({ path, migrations: earlier })
  await old.write(async (tx) => {
    await tx.insertInto('conversation').values({ id: conversation, kind: 'group', direct_pair: null, created_at: 0 }).execute()
    await tx.insertInto('group_info').values({ conversation, epoch: 0, bytes: made.groupInfo }).execute()
  })
  await old.close()
  const migrated = await openSqlite({ path })
  expect(treeOfNodes(await treeOf(migrated.kysely, conversation, 0))).toEqual(made.ratchetTree)
  expect((await new PublicGroups(migrated).at(conversation))?.context.epoch).toBe(0n)
  await migrated.close()
  rmSync(folder, { recursive: true, force: true })
})
