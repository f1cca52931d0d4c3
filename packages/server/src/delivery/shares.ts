/**
 * Who is given much from the store lets others go first. In each second the devices of an account are given so many bytes as soon as
 * they ask; what they ask for beyond is read for a quarter of the time while anybody else is given something.
 */
import type { AccountId } from '@tacit/contract'

/** What an account is given before it lets others go first: bytes, and in how long, milliseconds. */
const AT_FIRST = { bytes: 256 * 1024, within: 1000 } as const

/** How long those who are given much rest after some of them were served: as multiples of what that took, and at most, milliseconds. */
const RESTS = { times: 3, longest: 250 } as const

/** Nobody rests when nobody else has asked for so long, milliseconds. */
const ALONE_AFTER = 100

export class Shares {
  readonly #elapsed: () => number
  #given = new Map<AccountId, number>()
  #since: number
  #restsUntil: number
  #othersAsked = -Infinity

  /** `elapsed`: milliseconds that pass, whatever the clock says. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
    this.#since = this.#restsUntil = elapsed()
  }

  gives(account: AccountId, bytes: number): void {
    this.#given.set(account, (this.#given.get(account) ?? 0) + bytes)
  }

  /** Whether it is given much; otherwise it is one of those who go first. */
  asks(account: AccountId): boolean {
    const now = this.#elapsed()
    if (now >= this.#since + AT_FIRST.within) {
      this.#since = now
      this.#given.clear()
    }
    const much = (this.#given.get(account) ?? 0) >= AT_FIRST.bytes
    if (!much) this.#othersAsked = now
    return much
  }

  /** Somebody who goes first has not been served yet. */
  othersWait(): void {
    this.#othersAsked = this.#elapsed()
  }

  /** Serves those who are given much; until they are served again the others have their time. */
  async serve(work: () => Promise<void>): Promise<void> {
    const began = this.#elapsed()
    await work()
    const now = this.#elapsed()
    this.#restsUntil = now + Math.min(RESTS.times * (now - began), RESTS.longest)
  }

  /** How long those who are given much have to rest, milliseconds. */
  get rest(): number {
    const now = this.#elapsed()
    return now < this.#othersAsked + ALONE_AFTER ? Math.max(0, this.#restsUntil - now) : 0
  }
}
