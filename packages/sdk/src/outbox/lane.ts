/**
 * The sending side of one conversation: one step after the other, never two at once. It rests when there is nothing to do,
 * when the device is offline, and while something sent is not yet seen in the log; whatever may change that wakes it.
 */
import { Refusal, toBase64Url, type ConversationId } from '@tacit/contract'
import { MlsError } from '@tacit/mls'
import { MessengerError } from '../api.ts'
import { eraseConversation } from '../conversations/conversation.store.ts'
import { eraseIntent, nextIntent } from '../conversations/intent.store.ts'
import type { DeviceCore } from '../device-core.ts'
import { offerAgain } from '../rollback/offer-again.ts'
import { backOff, isPassing } from '../trouble.ts'
import { nextStep } from './next-step.ts'
import { transmit } from './transmit.ts'

/** Commits that are refused so often in a row are not going to be accepted. */
const MOST_REBUILDS = 20

export class Lane {
  readonly #core: DeviceCore
  readonly #conversation: ConversationId
  #running = false
  #again = false
  #commit = false
  #troubles = 0
  /** When the first of these troubles was. */
  #troubledAt = 0
  #timer: (() => void) | undefined
  /** Accepted, and not yet seen in the log. */
  #awaits = false
  #done: (() => void) | undefined
  /** Hash of what was accepted and is not yet seen in the log. */
  #sent: string | undefined
  #closed = false

  constructor(core: DeviceCore, conversation: ConversationId) {
    this.#core = core
    this.#conversation = conversation
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#closed) return
    this.#again = true
    this.#done ??= this.#core.duties.begin()
    if (!this.#running) void this.#run()
  }

  /** It is this device's turn to commit what is due. */
  commit(): void {
    this.#commit = true
    this.wake()
  }

  /** A new socket: what was sent on the old one may be lost. */
  reconnected(): void {
    this.#sent = undefined
    this.#troubles = 0
    this.wake()
  }

  close(): void {
    this.#closed = true
    this.#stopTimer()
    this.#rest()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#again && !this.#closed && this.#core.wire.isOnline) {
      this.#again = false
      this.#stopTimer()
      try {
        if (await this.#step()) this.#again = true
      } catch (error) {
        await this.#trouble(error).catch(() => undefined)
      }
    }
    this.#running = false
    // What failed for now or is on its way is still to be done; offline, nothing is.
    if (!this.#core.wire.isOnline || (!this.#timer && !this.#awaits)) this.#rest()
  }

  #rest(): void {
    this.#done?.()
    this.#done = undefined
  }

  #stopTimer(): void {
    this.#timer?.()
    this.#timer = undefined
  }

  /** Whether to go on at once. */
  async #step(): Promise<boolean> {
    this.#awaits = false
    const step = await nextStep(this.#core, this.#conversation, { commit: this.#commit })
    if (step.kind === 'rest') this.#commit = false
    if (step.kind !== 'send' && step.kind !== 'offer_again') return step.kind === 'again'
    const sealed = step.kind === 'send' ? step.sealed : step.entry
    const hash = toBase64Url(sealed.hash)
    this.#awaits = this.#sent === hash && !(step.kind === 'send' && step.overtaken)
    if (this.#awaits) return false
    const outcome = await (step.kind === 'send' ? transmit(this.#core, sealed) : offerAgain(this.#core, sealed))
    const isCommit = sealed.kind === 'commit'
    if (isCommit) this.#commit = false
    if (typeof outcome === 'object') {
      if (outcome.intent !== undefined) this.#core.decided(outcome.intent, { kind: 'never', why: outcome.failed })
      // Nobody wanted it and it is due again at once, if only because proposals wait: not in a circle.
      else if (isCommit) throw new Refusal('unavailable')
    } else if (outcome === 'sent') {
      this.#sent = hash
      this.#awaits = true
    }
    this.#troubles = outcome === 'again' ? this.#troubles + 1 : 0
    if (this.#troubles > MOST_REBUILDS) throw new Refusal('unavailable')
    return outcome !== 'sent'
  }

  async #trouble(error: unknown): Promise<void> {
    if (isPassing(error) || error instanceof MlsError) return this.#later(error)
    if (error instanceof Refusal && ['unauthenticated', 'session_ended', 'device_needed'].includes(error.failure)) return
    const isVerdict = error instanceof Refusal || (error instanceof MessengerError && error.failure !== 'storage')
    if (isVerdict) await this.#failIntent(error)
    else this.#later(error)
  }

  #later(error: unknown): void {
    if (this.#closed) return
    const { clock, random } = this.#core
    const asked = error instanceof Refusal ? (error.details.retryAfter ?? 0) * 1000 : 0
    if (this.#troubles === 0) this.#troubledAt = clock.now()
    const since = clock.now() - this.#troubledAt
    const delay = asked + backOff({ attempt: this.#troubles++, fraction: random.fraction(), since })
    this.#timer = clock.after(delay, () => this.wake())
  }

  /** What was wanted cannot be: say so, and go on with the rest. */
  async #failIntent(failure: unknown): Promise<void> {
    const { store, conversations } = this.#core
    const intent = await nextIntent(store, this.#conversation)
    if (!intent) return
    const never = intent.kind === 'create'
    await conversations.hold(this.#conversation, (hold) =>
      hold.store({
        state: never ? undefined : hold.state,
        ...(never && { group: 'none' as const }),
        write: (writer) => (never ? eraseConversation(writer, this.#conversation) : eraseIntent(writer, intent.position)),
      }),
    )
    this.#core.decided(intent.position, { kind: 'never', why: failure })
    this.#again = true
  }
}
