/**
 * Sealing a message or a proposal: the next group and the sealed bytes in one transaction, before anything is sent. A crash
 * before it seals anew, a crash after it sends the same bytes; no key is ever used twice.
 */
import { signNack } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import type { Hold } from '../conversations/held.ts'
import type { OwedNack } from '../conversations/nack.store.ts'
import { saveGroup } from '../conversations/group.store.ts'
import { encodeHandshakeData, seenBy } from '../conversations/transcript.ts'
import { encodePayload } from '../messages/payload.ts'
import { sha256 } from '../sealing.ts'
import { headToTell, noteTold } from '../transparency/key-log.store.ts'
import { signingKeyFrom } from '../signing.ts'
import { saveSealed, type Sealed, type Waiting } from './outbox.store.ts'

export async function sealMessage(core: DeviceCore, hold: Hold, waiting: Waiting): Promise<void> {
  const { conversation, state, group } = hold
  if (!state || !group) return
  const clientSeq = state.clientSeq + 1
  const seen = seenBy(state)
  const { kind, message, text } = waiting
  const head = await headToTell(core.store, { conversation, clientSeq })
  const next = await core.engine.seal(group, encodePayload({ kind, message, clientSeq, seen, text, head: head?.bytes }))
  const sealed = { ...(await plainSealed(hold, next.sealed)), kind: 'message', message } as const
  await hold.store({
    state,
    group: next.group,
    write: async (writer) => {
      await saveGroup(writer, { conversation, persist: next.persist })
      await saveSealed(writer, sealed)
      if (head) await noteTold(writer, { conversation, size: head.size, clientSeq })
    },
  })
  // Stored, so that nothing goes back to the group before: its used keys need not wait for the garbage collector.
  for (const secret of next.wipe) secret.fill(0)
}

/** Asks the others to remove one of this account's leaves. The group itself changes when the proposal is in the log. */
export async function sealRemoveProposal(core: DeviceCore, hold: Hold, { leaf, intent }: { leaf: number; intent: number }): Promise<void> {
  const { state, group } = hold
  if (!state || !group) return
  const seen = seenBy(state)
  const { proposal } = await core.engine.proposeRemove(group, leaf, encodeHandshakeData({ clientSeq: state.clientSeq + 1, seen }))
  const sealed = { ...(await plainSealed(hold, proposal)), kind: 'proposal', intent } as const
  await hold.store({ state, write: (writer) => saveSealed(writer, sealed) })
}

/** Says which commit could not be processed. Signed, not sealed: this device has no epoch that the others are in. */
export async function sealNack({ identity, device }: DeviceCore, hold: Hold, { seq, hash }: OwedNack): Promise<void> {
  const { state, conversation } = hold
  if (!state) return
  const { sign } = await signingKeyFrom(identity.signature.secretKey)
  const clientSeq = state.clientSeq + 1
  const bytes = await signNack({ conversation, device, clientSeq, commit: seq, hash }, sign)
  const sealed = { ...(await plainSealed(hold, bytes)), kind: 'nack' } as const
  await hold.store({ state, write: (writer) => saveSealed(writer, sealed) })
}

async function plainSealed({ conversation, state }: Hold, bytes: Uint8Array): Promise<Omit<Sealed, 'kind'>> {
  return {
    conversation,
    clientSeq: (state?.clientSeq ?? 0) + 1,
    epoch: state?.epoch ?? 0,
    hash: await sha256(bytes),
    bytes,
    message: undefined,
    intent: undefined,
    snapshot: undefined,
    baggage: undefined,
  }
}
