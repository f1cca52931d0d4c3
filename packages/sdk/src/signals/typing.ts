/** Who is writing right now. Told at most every three seconds, believed for six. */
import type { AccountId, ConversationId } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { isAccepted } from '../requests/admission.ts'
import { sealSignal } from './signal.ts'

const EVERY = 3000
const BELIEVED = 6000

export class Typing {
  readonly #core: DeviceCore
  readonly #changed: (conversation: ConversationId) => void
  /** When this device said last that its person is writing, in milliseconds. */
  readonly #said = new Map<ConversationId, number>()
  readonly #others = new Map<ConversationId, Map<AccountId, () => void>>()

  constructor(core: DeviceCore, changed: (conversation: ConversationId) => void) {
    this.#core = core
    this.#changed = changed
  }

  /** Others who are writing in a conversation. */
  in(conversation: ConversationId): readonly AccountId[] {
    return [...(this.#others.get(conversation)?.keys() ?? [])]
  }

  /** Ephemeral: when it cannot be told, it is not. */
  async say(conversation: ConversationId, on: boolean): Promise<void> {
    const { clock, wire, store, device, random, conversations } = this.#core
    const last = this.#said.get(conversation)
    const now = clock.now()
    if (!wire.isOnline || (on ? last !== undefined && now - last < EVERY : last === undefined)) return
    if (on) this.#said.set(conversation, now)
    else this.#said.delete(conversation)
    const state = await conversations.hold(conversation, async (hold) => hold.state)
    if (state?.standing !== 'active' || !(await isAccepted(store, conversation))) return
    const envelope = { conversation, epoch: state.epoch, sender: device }
    const bytes = await sealSignal(store, { envelope, signal: { kind: 'typing', on }, random })
    if (bytes) await wire.send('signals.send', { conversation, epoch: state.epoch, keep: false, bytes }).catch(() => undefined)
  }

  /** A message went out: the next one is told anew. */
  sent(conversation: ConversationId): void {
    this.#said.delete(conversation)
  }

  heard({ conversation, account, on }: { readonly conversation: ConversationId; readonly account: AccountId; readonly on: boolean }): void {
    const people = this.#others.get(conversation) ?? new Map<AccountId, () => void>()
    const wasOn = people.get(account)
    wasOn?.()
    people.delete(account)
    if (on)
      people.set(
        account,
        this.#core.clock.after(BELIEVED, () => this.heard({ conversation, account, on: false })),
      )
    if (people.size === 0) this.#others.delete(conversation)
    else this.#others.set(conversation, people)
    if (on !== (wasOn !== undefined)) this.#changed(conversation)
  }

  close(): void {
    for (const people of this.#others.values()) for (const stop of people.values()) stop()
    this.#others.clear()
  }
}
