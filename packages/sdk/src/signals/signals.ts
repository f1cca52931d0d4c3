/** Signals as they come in, and presence, which is the server's to tell and lasts only as long as the socket. */
import type { AccountId, ConversationId, EventOf } from '@tacit/contract'
import { memberAccount } from '../conversations/roster.store.ts'
import type { DeviceCore } from '../device-core.ts'
import { Receipts, takeReceipt } from './receipts.ts'
import { openSignal } from './signal.ts'
import { Typing } from './typing.ts'

type Incoming = EventOf<'signals.signal'>

/** Signals of an epoch that this device has not reached yet wait for it; the newest per device, and not many. */
const MOST_EARLY = 256

export class Signals {
  readonly receipts: Receipts
  readonly typing: Typing
  readonly #core: DeviceCore
  readonly #changed: (conversation?: ConversationId) => void
  readonly #online = new Set<AccountId>()
  readonly #early = new Map<string, Incoming>()

  /** `changed`: a conversation, or all of them, look different now. */
  constructor(core: DeviceCore, changed: (conversation?: ConversationId) => void) {
    this.#core = core
    this.#changed = changed
    this.receipts = new Receipts(core)
    this.typing = new Typing(core, changed)
  }

  isOnline(account: AccountId): boolean {
    return this.#online.has(account)
  }

  presence({ account, online }: EventOf<'signals.presence'>): void {
    if (online === this.#online.has(account)) return
    if (online) this.#online.add(account)
    else this.#online.delete(account)
    this.#changed()
  }

  /** The socket ended: nothing is known of anybody's presence. */
  disconnected(): void {
    if (this.#online.size === 0) return
    this.#online.clear()
    this.#changed()
  }

  async take(signal: Incoming): Promise<void> {
    const { conversation, epoch, sender } = signal
    const { store, conversations, account: me } = this.#core
    const state = await conversations.hold(conversation, async (hold) => hold.state)
    if (!state || sender === this.#core.device) return
    if (epoch > state.epoch) return this.#keepForLater(signal)
    const opened = await openSignal(store, { envelope: { conversation, epoch, sender }, bytes: signal.bytes })
    if (opened?.kind === 'receipt') return takeReceipt(this.#core, { ...opened, conversation, sender })
    if (opened?.kind !== 'typing' || signal.kept) return
    const account = await memberAccount(store, { conversation, device: sender })
    if (account && account !== me) this.typing.heard({ conversation, account, on: opened.on })
  }

  /** The conversation has moved on: signals that were ahead of us may open now. */
  async retry(conversation: ConversationId): Promise<void> {
    // Listed before: what is still too early goes back into the map, and would come round again for ever.
    const early = [...this.#early].filter(([, signal]) => signal.conversation === conversation)
    for (const [name, signal] of early) {
      this.#early.delete(name)
      await this.take(signal)
    }
  }

  close(): void {
    this.receipts.close()
    this.typing.close()
  }

  #keepForLater(signal: Incoming): void {
    const oldest = this.#early.size >= MOST_EARLY ? this.#early.keys().next().value : undefined
    if (oldest !== undefined) this.#early.delete(oldest)
    if (signal.kept) this.#early.set(`${signal.conversation} ${signal.sender}`, signal)
  }
}
