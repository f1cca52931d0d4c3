/** The command that carries what is sealed. */
import type { DeviceCore } from '../device-core.ts'
import { readBaggage } from '../conversations/baggage.ts'
import { owned } from '../sealing.ts'
import type { Sealed } from './outbox.store.ts'

export const TO_THE_HEAD = Number.MAX_SAFE_INTEGER

/** Rejects with `Refusal` or `Unreachable`. */
export function submit(core: Pick<DeviceCore, 'wire'>, sealed: Sealed) {
  const { conversation, epoch, clientSeq } = sealed
  const bytes = owned(sealed.bytes)
  if (sealed.kind === 'message' || sealed.kind === 'proposal')
    return core.wire.send('delivery.send', { conversation, epoch, clientSeq, bytes })
  if (sealed.kind === 'nack') return core.wire.send('delivery.nack', { conversation, clientSeq, bytes })
  const { welcome, groupInfo } = readBaggage(sealed.baggage)
  return core.wire.send('conversations.commit', {
    conversation,
    epoch,
    clientSeq,
    commit: bytes,
    welcome: welcome ? owned(welcome) : null,
    groupInfo: owned(groupInfo),
  })
}
