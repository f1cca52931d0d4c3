/**
 * Conversations in the hands of this device. Whoever reads, changes and stores the state of one holds it alone for that
 * time: sealing and opening never interleave. What is in memory is what was stored last, never ahead of it.
 */
import type { ConversationId } from '@tacit/contract'
import { MlsError, type Group, type LeafIdentity, type MlsEngine } from '@tacit/mls'
import type { StoreDriver, Writer } from '../local-store/driver.ts'
import { StoreError } from '../local-store/failure.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { settleAdmission } from '../requests/admission.ts'
import { findConversation, saveConversation, type Conversation } from './conversation.store.ts'
import { loadGroup } from './group.store.ts'

export interface HeldParts {
  readonly store: StoreDriver
  readonly engine: MlsEngine
  /** What this device is now. */
  readonly identity: () => LeafIdentity
  /** Told after each change is on disk. */
  readonly changed: (conversation: ConversationId) => void
}

/** What is stored in one transaction, and what memory holds once it is. */
export interface Change {
  /** Absent: the conversation is forgotten. */
  readonly state: Conversation | undefined
  /** Present when it changed; `write` then writes it. */
  readonly group?: Group | 'none'
  readonly write: (writer: Writer) => Promise<void>
}

/** One conversation, for as long as it is held. */
export interface Hold {
  readonly conversation: ConversationId
  readonly state: Conversation | undefined
  readonly group: Group | undefined
  /** Stores state and writes together. After it has resolved, they are what memory holds and what others are told. */
  store(change: Change): Promise<void>
}

interface InMemory {
  readonly turns: OneAtATime
  content: { readonly state: Conversation | undefined; readonly group: Group | undefined } | undefined
}

export class Conversations {
  readonly #parts: HeldParts
  readonly #held = new Map<ConversationId, InMemory>()

  constructor(parts: HeldParts) {
    this.#parts = parts
  }

  /** Holds a conversation for the time of `work`; never await another hold of the same one inside. */
  hold<T>(conversation: ConversationId, work: (hold: Hold) => Promise<T>): Promise<T> {
    const inMemory = this.#inMemory(conversation)
    return inMemory.turns.run(async () => {
      inMemory.content ??= await this.#load(conversation)
      const { content } = inMemory
      const store = (change: Change) => this.#store(conversation, change)
      return work({ conversation, ...content, store })
    })
  }

  /** Something is shown in it that was not stored by holding it. */
  looksDifferent(conversation: ConversationId): void {
    this.#parts.changed(conversation)
  }

  /** Groups in memory still speak as what this device was; they are loaded again, each in its turn. */
  async identityChanged(): Promise<void> {
    const dropped = [...this.#held.values()].map((inMemory) => inMemory.turns.run(async () => void (inMemory.content = undefined)))
    await Promise.all(dropped)
  }

  async #store(conversation: ConversationId, { state, group, write }: Change): Promise<void> {
    const inMemory = this.#inMemory(conversation)
    await this.#parts.store.transaction(async (writer) => {
      if (state) await saveConversation(writer, state)
      if (state && !inMemory.content?.state) await settleAdmission(writer, conversation)
      await write(writer)
    })
    const before = inMemory.content?.group
    inMemory.content = { state, group: group === 'none' ? undefined : (group ?? before) }
    this.#parts.changed(conversation)
  }

  async #load(conversation: ConversationId) {
    const { store, engine } = this.#parts
    const identity = this.#parts.identity()
    const state = await findConversation(store, conversation)
    try {
      return { state, group: state && (await loadGroup(store, { conversation, engine, identity })) }
    } catch (error) {
      const isLost = error instanceof MlsError || (error instanceof StoreError && error.trouble === 'damaged')
      if (!isLost || !state) throw error
      // A group that cannot be restored is lost, its conversation is not: it is joined anew.
      return { state: state.standing === 'active' ? { ...state, standing: 'paused' as const } : state, group: undefined }
    }
  }

  #inMemory(conversation: ConversationId): InMemory {
    const known = this.#held.get(conversation)
    if (known) return known
    const fresh: InMemory = { turns: new OneAtATime(), content: undefined }
    this.#held.set(conversation, fresh)
    return fresh
  }
}
