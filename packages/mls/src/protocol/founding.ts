/** The first commit of a group that continues another one: everybody added, one resumption PSK (RFC 9420 sections 11.2 and 11.3). */
import { makeCommit, makeWelcomes } from '../group/create-commit.ts'
import { groupOf } from '../group/handle.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { snapshotOf } from '../group/persist.ts'
import { enterEpoch } from '../group/process-commit.ts'
import { infoExtensions } from '../group/profile.ts'
import { beforeMerging } from '../group/state.ts'
import type { GroupState } from '../group/state.ts'
import type { Continuation } from './continuing.ts'
import { planOf } from './sending.ts'
import type { ProtocolPending, PskName, Wanted } from './sending.ts'

export const commitFrom = async (
  founded: GroupState,
  request: Continuation & { readonly link: PskName; readonly purpose: 'reinit' | 'branch'; readonly findPsk: FindPsk },
): Promise<ProtocolPending> => {
  const { add, authenticate, link, purpose, findPsk, note = new Uint8Array() } = request
  const inline: Wanted[] = [...add.map((keyPackage) => ({ kind: 'add', keyPackage }) as const), { kind: 'psk', psk: link }]
  const made = await makeCommit(planOf(founded, { framing: 'public', inline, authenticate, findPsk, purpose }))
  const next = beforeMerging(enterEpoch(founded, made.start, made))
  const info = { by: founded.suite, start: made.start, signer: made.committer, secretKey: founded.identity.signature.secretKey }
  return {
    group: groupOf(founded),
    persist: snapshotOf(founded),
    wipe: [],
    next: groupOf(next),
    nextPersist: snapshotOf(next),
    commit: made.message,
    welcomes: await makeWelcomes(made, { ...info, extensions: infoExtensions(note), withTree: true }),
    changes: made.changes,
  }
}
