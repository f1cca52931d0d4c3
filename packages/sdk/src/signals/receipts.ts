/** Tells the others how far this device is: batched, with jitter, one current value per conversation. */
import type { ConversationId, DeviceId } from '@tacit/contract'
import { memberAccount } from '../conversations/roster.store.ts'
import type { DeviceCore } from '../device-core.ts'
import { isPassing } from '../trouble.ts'
import { owedReceipts, saveReceipt } from './receipts.store.ts'
import { sealSignal } from './signal.ts'

/** Receipts of this time share a signal, in milliseconds; the jitter keeps a group's devices apart. */
const SHORTEST = 200
const JITTER = 1000

export class Receipts {
  readonly #core: DeviceCore
  readonly #timers = new Map<ConversationId, () => void>()

  constructor(core: DeviceCore) {
    this.#core = core
  }

  /** Something was stored or read; says so soon, if it is news. */
  schedule(conversation: ConversationId): void {
    if (this.#timers.has(conversation) || !this.#core.wire.isOnline) return
    const { clock, random } = this.#core
    const delay = SHORTEST + JITTER * random.fraction()
    const done = this.#core.duties.begin()
    const stop = clock.after(delay, () => {
      this.#timers.delete(conversation)
      void this.#tell(conversation)
        .catch((error: unknown) => isPassing(error) && this.schedule(conversation))
        .finally(done)
    })
    this.#timers.set(conversation, () => {
      stop()
      done()
    })
  }

  /** Online again: what was stored or read meanwhile is news. */
  async resume(): Promise<void> {
    for (const conversation of await owedReceipts(this.#core.store, this.#core.device)) this.schedule(conversation)
  }

  close(): void {
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
  }

  async #tell(conversation: ConversationId): Promise<void> {
    const core = this.#core
    if (!core.wire.isOnline || !(await owedReceipts(core.store, core.device)).includes(conversation)) return
    const state = await core.conversations.hold(conversation, async (hold) => hold.state)
    if (state?.standing !== 'active') return
    const { epoch } = state
    const progress = { delivered: state.cursor, read: state.readSeq }
    const envelope = { conversation, epoch, sender: core.device }
    const bytes = await sealSignal(core.store, { envelope, signal: { kind: 'receipt', ...progress }, random: core.random })
    if (!bytes) return
    await core.wire.send('signals.send', { conversation, epoch, keep: true, bytes })
    await core.store.transaction((writer) => saveReceipt(writer, { conversation, device: core.device, account: core.account, ...progress }))
  }
}

/** What somebody's receipt changes here. An own other device's says what its person has read. */
export async function takeReceipt(
  core: DeviceCore,
  { conversation, sender, delivered, read }: { conversation: ConversationId; sender: DeviceId; delivered: number; read: number },
): Promise<void> {
  const account = await memberAccount(core.store, { conversation, device: sender })
  if (!account) return
  await core.conversations.hold(conversation, async (hold) => {
    const { state } = hold
    if (!state) return
    const readSeq = account === core.account ? Math.max(state.readSeq, Math.min(read, state.cursor)) : state.readSeq
    const row = { conversation, device: sender, account, delivered, read }
    await hold.store({ state: { ...state, readSeq }, write: (writer) => saveReceipt(writer, row) })
  })
}
