import { signNack } from '@tacit/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { newPerson } from '../identity.test-support.ts'
import { commit, converse, messageOf, openRooms, type Rooms } from './rooms.test-support.ts'

let rooms: Rooms
const [alice, bob] = await Promise.all([newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

test('F-07: each place that somebody is told of is noted, whatever stands there', async () => {
  const conversation = await converse(rooms, [alice, bob])
  const noted = vi.spyOn(rooms.database, 'acknowledged')
  const { seq, hash } = await commit(rooms, alice, { conversation, clientSeq: 2 })
  expect(noted).toHaveBeenLastCalledWith({ conversation, seq })
  const about = { conversation, device: bob.device, clientSeq: 1, commit: seq, hash }
  const nack = { conversation, clientSeq: 1, bytes: await signNack(about, async () => new Uint8Array(64)) }
  const refused = await rooms.delivery.nack(bob.device, nack)
  expect(noted).toHaveBeenLastCalledWith({ conversation, seq: refused.seq })
  const proposal = await rooms.seats.sealProposal(bob, { conversation, clientSeq: 2, removes: bob })
  const proposed = await rooms.delivery.send(bob.device, proposal)
  expect(noted).toHaveBeenLastCalledWith({ conversation, seq: proposed.seq })
  // One file is never a copy that is behind.
  if (rooms.database.kind === 'sqlite') return
  const sent = await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 2, clientSeq: 3 }))
  expect(noted).toHaveBeenLastCalledWith({ conversation, seq: sent.seq })
})
