/** All lanes of this device, and what is put into them. */
import { MessageId, type ConversationId } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import { hasIntent } from '../conversations/intent.store.ts'
import type { DeviceCore } from '../device-core.ts'
import type { Reader } from '../local-store/driver.ts'
import { hasMessage } from '../messages/items.store.ts'
import { byteLength, LONGEST_TEXT, LONGEST_TITLE, type ContentKind } from '../messages/payload.ts'
import { mintId } from '../sealing.ts'
import { Lane } from './lane.ts'
import { busyConversations, eraseWaiting, findSealed, findWaiting, queueMessage } from './outbox.store.ts'

interface Draft {
  readonly conversation: ConversationId
  readonly kind: ContentKind
  readonly text: string
  /** Minted by whoever may ask twice; without it one is minted here. */
  readonly message?: MessageId | undefined
}

export class Outbox {
  readonly #core: DeviceCore
  readonly #lanes = new Map<ConversationId, Lane>()

  constructor(core: DeviceCore) {
    this.#core = core
  }

  lane(conversation: ConversationId): Lane {
    const known = this.#lanes.get(conversation)
    if (known) return known
    const lane = new Lane(this.#core, conversation)
    this.#lanes.set(conversation, lane)
    return lane
  }

  /**
   * Resolves when the message is safe on this device (tx A); it is sent when that is possible. One that brings its id and is
   * here already, waiting or in the log, is left as it is.
   */
  async queue(draft: Draft): Promise<MessageId> {
    const { conversation, kind, text } = draft
    const { conversations, clock, random, store } = this.#core
    const longest = kind === 'text' ? LONGEST_TEXT : LONGEST_TITLE
    if (text === '' || byteLength(text) > longest) throw new MessengerError('too_large', `Write 1 to ${longest} bytes.`)
    const message = draft.message ?? mintId(random, MessageId)
    await conversations.hold(conversation, async (hold) => {
      const { state } = hold
      if (!state) throw new MessengerError('not_found', 'There is no such conversation.')
      if (draft.message && (await isKnown(store, { conversation, message }))) return
      const leaving = await hasIntent(store, { conversation, kind: 'leave' })
      if (state.standing === 'left' || state.standing === 'removed' || leaving)
        throw new MessengerError('not_allowed', 'You are not in this conversation any more.')
      const time = clock.now()
      const after = kind === 'text' ? { ...state, activity: Math.max(state.activity, time) } : state
      await hold.store({ state: after, write: (writer) => queueMessage(writer, { message, conversation, kind, text, time }) })
    })
    this.lane(conversation).wake()
    return message
  }

  /** Puts a message that failed back to the end of the queue. */
  async retry(message: MessageId): Promise<void> {
    const waiting = await this.#waiting(message)
    await this.#core.conversations.hold(waiting.conversation, (hold) =>
      hold.store({
        state: hold.state,
        write: async (writer) => {
          if (!(await findWaiting(writer, message))?.failed) return
          await eraseWaiting(writer, message)
          await queueMessage(writer, waiting)
        },
      }),
    )
    this.lane(waiting.conversation).wake()
  }

  /** Takes back a message that was not sealed; one that may be on the server already cannot be taken back. */
  async discard(message: MessageId): Promise<void> {
    const { conversation } = await this.#waiting(message)
    await this.#core.conversations.hold(conversation, async (hold) => {
      if ((await findSealed(this.#core.store, conversation))?.message === message)
        throw new MessengerError('not_allowed', 'This message is on its way.')
      await hold.store({ state: hold.state, write: (writer) => eraseWaiting(writer, message) })
    })
  }

  /** The device is online again: everything that waits goes on. */
  async resume(): Promise<void> {
    for (const conversation of await busyConversations(this.#core.store)) this.lane(conversation)
    for (const lane of this.#lanes.values()) lane.reconnected()
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close()
  }

  async #waiting(message: MessageId) {
    const waiting = await findWaiting(this.#core.store, message)
    if (!waiting) throw new MessengerError('not_found', 'There is no such message waiting.')
    return waiting
  }
}

const isKnown = async (reader: Reader, asked: { readonly conversation: ConversationId; readonly message: MessageId }): Promise<boolean> =>
  (await findWaiting(reader, asked.message)) !== undefined || (await hasMessage(reader, asked))
