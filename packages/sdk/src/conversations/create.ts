/** A new conversation begins on this device: alone, at epoch 0; the intents to open it on the server and to add people follow. */
import { type AccountId, ConversationId, type ConversationKind, encodePolicy, MessageId } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { queueMessage } from '../outbox/outbox.store.ts'
import { tellContinuation } from '../messages/continuation.ts'
import type { ContentKind } from '../messages/payload.ts'
import { noteTurnedTo } from '../requests/admission.ts'
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
  wanted: {
    readonly kind: ConversationKind
    readonly people: readonly AccountId[]
    readonly title: string
    readonly continues?: ConversationId
  },
): Promise<Created> {
  const { kind, people, title, continues } = wanted
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
        await noteTurnedTo(writer, core, { conversation, people })
        const queue = (kind: ContentKind, text: string) =>
          queueMessage(writer, { message: mintId(core.random, MessageId), conversation, kind, text, time: now })
        if (title !== '') await queue('title', title)
        if (!continues) return
        await queue('continues', continues)
        // At once, so that nobody begins it twice.
        await tellContinuation(writer, { before: continues, next: conversation, by: core.account, time: now })
      },
    }),
  )
  if (continues) core.conversations.looksDifferent(continues)
  core.noted()
  return { conversation, ...positions }
}
