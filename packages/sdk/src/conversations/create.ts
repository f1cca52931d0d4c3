/** A new conversation begins on this device: alone, at epoch 0; the intents to open it on the server and to add people follow. */
import { type AccountId, ConversationId, type ConversationKind, encodePolicy, MessageId } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { queueMessage } from '../outbox/outbox.store.ts'
import { idBytes, mintId } from '../sealing.ts'
import { beginConversation } from './begin.ts'
import { addIntent } from './intent.store.ts'
import { EMPTY_TRANSCRIPT } from './transcript.ts'

export interface Created {
  readonly conversation: ConversationId
  /** Intents to wait for: the creation, then the additions. */
  readonly create: number
  readonly add: number
}

/** Stores everything; nothing is sent here. `people`: accounts besides this one. */
export async function createConversation(
  core: DeviceCore,
  wanted: { readonly kind: ConversationKind; readonly people: readonly AccountId[]; readonly title: string },
): Promise<Created> {
  const { kind, people, title } = wanted
  const conversation = mintId(core.random, ConversationId)
  const peer = kind === 'direct' ? people[0] : undefined
  const policy = encodePolicy({ kind, admins: peer ? [core.account, peer] : [core.account] })
  const founded = await core.engine.createGroup({ groupId: idBytes(conversation), identity: core.identity, policy })
  const { group, groupInfo, ratchetTree } = founded
  const positions = { create: 0, add: 0 }
  await core.conversations.hold(conversation, (hold) =>
    beginConversation(core, hold, {
      group,
      seq: 0,
      transcript: EMPTY_TRANSCRIPT,
      clientSeq: 0,
      fresh: true,
      title,
      items: [{ kind: 'notice', notice: { kind: 'created', by: core.account } }],
      write: async (writer) => {
        const now = core.clock.now()
        const create = { kind: 'create', as: kind, peer, groupInfo, ratchetTree } as const
        positions.create = await addIntent(writer, { conversation, intent: create, now })
        // Own other devices are added like everybody's.
        positions.add = await addIntent(writer, { conversation, intent: { kind: 'add', accounts: [core.account, ...people] }, now })
        if (title === '') return
        const message = mintId(core.random, MessageId)
        await queueMessage(writer, { message, conversation, kind: 'title', text: title, time: core.clock.now() })
      },
    }),
  )
  return { conversation, ...positions }
}
