/**
 * The front door of linking, on either side: one link at a time, and what the screen shows of it. A device that is signed in
 * brings a code; one that is not shows one.
 */
import { Refusal } from '@tacit/contract'
import { MessengerError, type LinkingState, type LinkOver } from '../api.ts'
import type { LiveValue } from '../live.ts'
import { Unreachable } from '../trouble.ts'

type Side = 'new' | 'old'

/** One link under way, as this device takes part in it. */
export interface Attempt {
  /** Still the newest one, and not cancelled. */
  readonly isOn: boolean
  show(state: LinkingState): void
}

/** A link that ended otherwise than by success. */
export class LinkEnded extends Error {
  override readonly name = 'LinkEnded'
  readonly why: LinkOver

  constructor(why: LinkOver) {
    super(why)
    this.why = why
  }
}

/** Asks the server so often how far the other device is, in milliseconds. */
export const LOOK_EVERY = 1000

export class Linking {
  readonly #state: LiveValue<LinkingState>
  #current: { readonly attempt: Attempt; readonly cancel: () => Promise<void> } | undefined

  constructor(state: LiveValue<LinkingState>) {
    this.#state = state
  }

  /** Begins another link in the place of the one before. */
  begin(side: Side, cancel: () => Promise<void>): Attempt {
    this.drop()
    const isCurrent = (): boolean => this.#current?.attempt === attempt
    const attempt: Attempt = {
      get isOn() {
        return isCurrent()
      },
      show: (state) => isCurrent() && this.#state.set(state),
    }
    this.#current = { attempt, cancel }
    attempt.show({ kind: 'connecting', side })
    return attempt
  }

  /** It is over; with `idle` without a word. */
  end(attempt: Attempt, state: Extract<LinkingState, { kind: 'idle' | 'done' | 'over' }>): void {
    attempt.show(state)
    if (this.#current?.attempt === attempt) this.#current = undefined
  }

  /** The person cancels here; the server tells the other device. */
  async cancel(why: LinkOver): Promise<void> {
    const { current, side } = { current: this.#current, side: sideOf(this.#state.get()) }
    this.#current = undefined
    this.#state.set(current && side ? { kind: 'over', side, why } : { kind: 'idle' })
    // Should it not be told, the link ends by itself in a minute or two.
    await current?.cancel().catch(() => undefined)
  }

  /** Without a word: somebody signed in or out otherwise. */
  drop(): void {
    const current = this.#current
    this.#current = undefined
    this.#state.set({ kind: 'idle' })
    void current?.cancel().catch(() => undefined)
  }
}

const sideOf = (state: LinkingState): Side | undefined => ('side' in state ? state.side : state.kind === 'showing' ? 'new' : undefined)

const REASONS: Readonly<Record<string, LinkOver>> = {
  expired: 'expired',
  link_used: 'used',
  link_cancelled: 'cancelled_there',
  not_found: 'wrong_code',
  too_many: 'too_many_devices',
  rate_limited: 'too_many_tries',
}

/** How a link ends with this failure; undefined for one that is not about the link. */
export function whyOver(error: unknown): LinkOver | undefined {
  if (error instanceof LinkEnded) return error.why
  if (error instanceof MessengerError && error.failure === 'identity_mismatch') return 'tampered'
  return error instanceof Refusal ? REASONS[error.failure] : undefined
}

/** What the server answers once `look` is content with it; a server that cannot be reached is asked again until `until` (ms). */
export async function lookUntil<T>(
  {
    clock,
    attempt,
    until,
  }: { clock: { now(): number; after(delay: number, work: () => void): () => void }; attempt: Attempt; until: number },
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    if (!attempt.isOn) throw new LinkEnded('cancelled_here')
    const found = await look().catch((error: unknown) => {
      if (error instanceof Unreachable && clock.now() < until) return undefined
      throw error
    })
    if (found !== undefined) return found
    if (clock.now() >= until) throw new LinkEnded('expired')
    await new Promise<void>((resolve) => clock.after(LOOK_EVERY, resolve))
  }
}
