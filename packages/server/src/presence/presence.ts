/**
 * Who is online, for people who share a conversation, and only when both share their presence. Held in memory as leases:
 * a line that closes leaves one for a moment, so that a reconnect is not seen. Nothing of it is stored.
 */
import { encodeEvent, type AccountId } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { Line } from '../delivery/feed.ts'

export interface PresenceDeps {
  readonly bus: Bus
  /** Hears of what went wrong while others were told. */
  onFault(error: unknown): void
  /** Whether the account lets others see it. */
  sharesPresence(account: AccountId): Promise<boolean>
  /** Accounts that share a conversation with it. */
  coMembers(account: AccountId): Promise<readonly AccountId[]>
  /** Its open lines in this process. */
  linesOf(account: AccountId): Iterable<Line>
}

/** How long a lease outlives the last line, milliseconds. */
const LEASE = 10_000

export class Presence {
  readonly #deps: PresenceDeps
  /** Accounts that are online and share it; the value is when the lease ends, if no line holds it. */
  readonly #online = new Map<AccountId, number | undefined>()

  constructor(deps: PresenceDeps) {
    this.#deps = deps
    deps.bus.listen('presence', ({ account, online }) => {
      this.#tellOthers(account, online).catch((error: unknown) => deps.onFault(error))
    })
  }

  /** A line began to listen: its account is online, and it hears who else is. */
  async arrived(line: Line): Promise<void> {
    if (!(await this.#deps.sharesPresence(line.account))) return
    this.#begin(line.account)
    await this.#tellAbout(line.account, [line])
  }

  /** A line closed. `now` in milliseconds. */
  left(account: AccountId, now: number): void {
    if (this.#online.has(account) && !this.#hasLine(account)) this.#online.set(account, now + LEASE)
  }

  /** The account changed whether it shares. Mutual: who stops sharing stops seeing. */
  async sharingChanged(account: AccountId, shares: boolean): Promise<void> {
    const lines = [...this.#deps.linesOf(account)]
    if (shares && lines.length > 0) {
      this.#begin(account)
      await this.#tellAbout(account, lines)
    }
    if (shares || !this.#online.has(account)) return
    for (const other of await this.#visible(account)) tell(lines, other, false)
    this.#end(account)
  }

  /** Ends leases that ran out. */
  sweep(now: number): void {
    for (const [account, endsAt] of this.#online) {
      if (endsAt === undefined || endsAt > now) continue
      if (this.#hasLine(account)) this.#online.set(account, undefined)
      else this.#end(account)
    }
  }

  #begin(account: AccountId): void {
    const wasOnline = this.#online.has(account)
    this.#online.set(account, undefined)
    if (!wasOnline) this.#deps.bus.ring({ kind: 'presence', account, online: true })
  }

  #end(account: AccountId): void {
    this.#online.delete(account)
    this.#deps.bus.ring({ kind: 'presence', account, online: false })
  }

  async #tellAbout(account: AccountId, lines: readonly Line[]): Promise<void> {
    for (const other of await this.#visible(account)) tell(lines, other, true)
  }

  /** Others whom it may see online now. */
  async #visible(account: AccountId): Promise<AccountId[]> {
    return (await this.#deps.coMembers(account)).filter((other) => this.#online.has(other))
  }

  async #tellOthers(account: AccountId, online: boolean): Promise<void> {
    for (const other of await this.#visible(account)) tell(this.#deps.linesOf(other), account, online)
  }

  #hasLine(account: AccountId): boolean {
    for (const _ of this.#deps.linesOf(account)) return true
    return false
  }
}

function tell(lines: Iterable<Line>, account: AccountId, online: boolean): void {
  const frame = encodeEvent({ name: 'signals.presence', body: { account, online } })
  for (const line of lines) line.send(frame)
}
