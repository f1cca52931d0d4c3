/**
 * This device's turns to commit routine work. It asks the server, which asks one device at a time; that is a courtesy and no
 * truth, so a device that waits in vain goes on by itself: soon when proposals hold up messages, late when only its own keys
 * are due and the log shows that others get their turns.
 */
import type { ConversationId, TurnWork } from '@tacit/contract'
import type { Wire } from '../device-core.ts'
import type { Duties } from '../duties.ts'
import type { Clock, Random } from '../surroundings.ts'

export interface TurnsParts {
  readonly clock: Clock
  readonly duties: Pick<Duties, 'begin'>
  readonly random: Random
  readonly wire: Pick<Wire, 'send'>
  /** It is this device's turn: commit what is due now. */
  readonly take: (conversation: ConversationId) => void
  /** Look whether something is still to be done. */
  readonly look: (conversation: ConversationId) => void
}

/** What a device would commit. */
export interface Need {
  readonly work: Exclude<TurnWork, 'none'>
  readonly epoch: number
  /** This device's place among those who see the same need. */
  readonly rank: number
  /** Leaves of the group: so many may be waiting for a turn of their own. */
  readonly leaves: number
  /** Perhaps it settles itself: ask only after this, in milliseconds. */
  readonly grace: number
}

/** `since` when. */
type Lasting = Need & { readonly since: number }

/** `resting`: in its grace. `to_ask`: in the queue of asks. */
type Want = Lasting & {
  readonly kind: 'resting' | 'to_ask' | 'asked' | 'taken'
  readonly stop: () => void
}

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Longer than a device that got the turn and vanished keeps it. */
const TIDY_PATIENCE = 15 * SECOND
/** Those who gave up waiting still go one after the other. */
const PER_RANK = 700
const MOST_RANKS = 12
const TIDY_JITTER = 5 * SECOND

/** No turn, and no commit by others either, for so long: nobody gets any. */
const QUIET_PATIENCE = 2 * MINUTE
const QUIET_JITTER = MINUTE
/** However busy the log is: enough for everybody to have had a turn. */
const LONGEST_PATIENCE = 30 * MINUTE
const PER_LEAF = 10 * SECOND

/** A turn that was taken and led to nothing. */
const TAKEN_FOR = 15 * SECOND

/** A device with many conversations asks for one after the other, no faster than it may commit. */
const BETWEEN_ASKS = 2 * SECOND

export class Turns {
  readonly #parts: TurnsParts
  readonly #wants = new Map<ConversationId, Want>()
  #stopAsking: (() => void) | undefined
  #done: (() => void) | undefined

  constructor(parts: TurnsParts) {
    this.#parts = parts
  }

  /** Something is to be committed; said again and again while it is. */
  want(conversation: ConversationId, need: Need): void {
    const known = this.#wants.get(conversation)
    const isSame = known?.work === need.work && known.epoch === need.epoch
    if (isSame) return
    known?.stop()
    const since = known?.work === need.work ? known.since : this.#parts.clock.now()
    // A place in the queue outlives the epoch, whatever else was asked for does not.
    if (known?.kind === 'asked' && need.work === 'update' && known.work === 'update') this.#wait(conversation, { ...need, since })
    else if (need.grace > 0) this.#rest(conversation, { ...need, since })
    else if (need.work === 'tidy') this.#ask(conversation, { ...need, since })
    else this.#askLater(conversation, { ...need, since })
  }

  /** Nothing is to be committed any more. */
  drop(conversation: ConversationId): void {
    this.#wants.get(conversation)?.stop()
    this.#forget(conversation)
  }

  /** The server says that it is this device's turn. */
  granted(conversation: ConversationId): void {
    const want = this.#wants.get(conversation)
    if (want) this.#take(conversation, want)
    else this.#say(conversation, { epoch: 0, work: 'none' })
  }

  /** The server forgot what was asked on the socket that ended; on the next one everything is looked at again. */
  disconnected(): void {
    for (const { stop } of this.#wants.values()) stop()
    this.#wants.clear()
    this.#recount()
    this.#stopAsking?.()
    this.#stopAsking = undefined
  }

  #note(conversation: ConversationId, want: Want): void {
    this.#wants.set(conversation, want)
    this.#recount()
  }

  #forget(conversation: ConversationId): void {
    this.#wants.delete(conversation)
    this.#recount()
  }

  /** Others wait for a tidy group, so that is a duty; nobody waits for this device's keys to be fresh. */
  #recount(): void {
    const owes = [...this.#wants.values()].some(({ work, kind }) => work === 'tidy' && kind !== 'resting')
    if (owes) this.#done ??= this.#parts.duties.begin()
    else {
      this.#done?.()
      this.#done = undefined
    }
  }

  #rest(conversation: ConversationId, want: Lasting): void {
    const stop = this.#parts.clock.after(want.grace, () => this.#ask(conversation, want))
    this.#note(conversation, { ...want, kind: 'resting', stop })
  }

  #askLater(conversation: ConversationId, want: Lasting): void {
    this.#note(conversation, { ...want, kind: 'to_ask', stop: () => undefined })
    const { clock, random } = this.#parts
    this.#stopAsking ??= clock.after(BETWEEN_ASKS * random.fraction(), () => this.#askNext())
  }

  #askNext(): void {
    this.#stopAsking = undefined
    const next = [...this.#wants].find(([, want]) => want.kind === 'to_ask')
    if (!next) return
    this.#ask(...next)
    this.#stopAsking = this.#parts.clock.after(BETWEEN_ASKS, () => this.#askNext())
  }

  #ask(conversation: ConversationId, want: Lasting): void {
    this.#wait(conversation, want)
    this.#say(conversation, want)
  }

  /** An older server knows no turns, a busy one refuses: then nothing comes, and waiting ends by itself. */
  #say(conversation: ConversationId, { epoch, work }: { readonly epoch: number; readonly work: TurnWork }): void {
    this.#parts.wire.send('turns.ask', { conversation, epoch, work }).catch(() => undefined)
  }

  #wait(conversation: ConversationId, want: Lasting): void {
    const stop = this.#parts.clock.after(this.#patience(want), () => this.#take(conversation, want))
    this.#note(conversation, { ...want, kind: 'asked', stop })
  }

  #take(conversation: ConversationId, want: Lasting): void {
    const { clock, take, look } = this.#parts
    this.#wants.get(conversation)?.stop()
    const stop = clock.after(TAKEN_FOR, () => {
      this.#forget(conversation)
      look(conversation)
    })
    this.#note(conversation, { ...want, kind: 'taken', stop })
    take(conversation)
  }

  #patience({ work, rank, leaves, since }: Lasting): number {
    const { clock, random } = this.#parts
    if (work === 'tidy') return TIDY_PATIENCE + Math.min(rank, MOST_RANKS) * PER_RANK + TIDY_JITTER * random.fraction()
    const quiet = QUIET_PATIENCE + QUIET_JITTER * random.fraction()
    const left = since + LONGEST_PATIENCE + leaves * PER_LEAF - clock.now()
    return Math.max(0, Math.min(quiet, left))
  }
}
