import { expect, test } from 'vitest'
import { createMlsEngine } from '../group/engine.ts'
import { afterCommit, afterProposal, readGroupInfo, readMessage } from './index.ts'

const utf8 = (words: string): Uint8Array => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)
const NOW = 1_800_000_000n
const policy = { authenticate: yes, maxLifetime: 90n * 86_400n, now: NOW }

test('a delivery service follows a group from outside and arrives at the same context as its members', async () => {
  const engine = await createMlsEngine({ suite: 1 })
  const device = async (name: string) => {
    const identity = { credential: utf8(name), signature: await engine.generateSignaturePair() }
    return { identity, keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 9n, lastResort: false }) }
  }
  const [alice, bob, carol] = [await device('Alice'), await device('Bob'), await device('Carol')]
  const founded = await engine.createGroup({ groupId: utf8('g'), identity: alice.identity, policy: utf8('p') })
  let followed = await readGroupInfo(readMessage(founded.groupInfo, 'group_info').groupInfo, policy)
  const add = [bob.keyPackage.keyPackage, carol.keyPackage.keyPackage]
  const first = await engine.commit(founded.group, { add, authenticate: yes })
  const one = await afterCommit(followed, readMessage(first.commit, 'public').message, policy)
  expect(one.staged.changes.map(({ kind, leafIndex }) => [kind, leafIndex])).toEqual([
    ['added', 1],
    ['added', 2],
  ])
  followed = one.group
  const proposed = await engine.proposeRemove(first.next, 1)
  const waiting = await afterProposal(followed, readMessage(proposed.proposal, 'public').message, policy)
  const second = await engine.commit(proposed.group, { authenticate: yes })
  const two = await afterCommit(waiting.group, readMessage(second.commit, 'public').message, policy)
  expect(two.staged.changes.map(({ kind, leafIndex }) => [kind, leafIndex])).toEqual([['removed', 1]])
  const published = readMessage(second.groupInfo, 'group_info').groupInfo
  expect(two.group.context).toEqual(published.context)
  expect(two.group.interimTranscriptHash).toEqual((await readGroupInfo(published, policy)).interimTranscriptHash)
  await expect(afterCommit(two.group, readMessage(second.commit, 'public').message, policy)).rejects.toMatchObject({
    reason: 'stale_epoch',
  })
  await expect(afterCommit(followed, readMessage(second.commit, 'public').message, policy)).rejects.toMatchObject({ reason: 'invalid' })
})
