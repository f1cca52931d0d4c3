/**
 * Who is online, for people who share a conversation, and only when both share their presence; and only for those whom somebody has told
 * there how far they are, which no device does before its person has taken the conversation up. Each server holds leases for
 * the people whose lines it has; a line that closes leaves one for a moment, so that a reconnect is not seen. Nothing of it is
 * stored. A doorbell says whom to look at; who is online is asked of the leases.
 */
import { encodeEvent, type AccountId, type ConversationId } from '@tacit/contract'
import type { Bus, NoticeOf } from '../bus/bus.ts'
import type { Line } from '../delivery/feed.ts'
import { RENEW_EVERY, type Leases } from './leases.ts'

export interface PresenceDeps {
  readonly bus: Bus
  readonly leases: Leases
  /** Hears of what went wrong while others were told. */
  onFault(error: unknown): void
  /** Whether the account lets others see it. */
  sharesPresence(account: AccountId): Promise<boolean>
  /** Others in conversations in which the account has said how far it is. */
  audienceOf(account: AccountId): Promise<readonly AccountId[]>
  /** Others who have said so in a conversation with it. */
  heardBy(account: AccountId): Promise<readonly AccountId[]>
  /** Its open lines in this process. */
  linesOf(account: AccountId): Iterable<Line>
}

/** How long somebody stays online after the last line here, milliseconds. */
const LINGER = 10_000

export class Presence {
  readonly #deps: PresenceDeps
  /** Accounts that are online here and share it; the value is when that ends, if no line holds it. */
  readonly #here = new Map<AccountId, number | undefined>()
  /** Where those who are online here have said how far they are, since they came. */
  readonly #said = new Map<AccountId, Set<ConversationId>>()
  /** Accounts elsewhere that lines here were told to be online. */
  readonly #shown = new Set<AccountId>()
  #renewAt = 0

  constructor(deps: PresenceDeps) {
    this.#deps = deps
    deps.bus.listen('presence', (notice) => this.#orFault(this.#noticed(notice)))
    deps.bus.listen('sharing_changed', ({ account }) => this.#orFault(this.sharingChanged(account)))
  }

  /** A line began to listen: its account is online, and it hears who else is. */
  async arrived(line: Line): Promise<void> {
    if (!(await this.#deps.sharesPresence(line.account))) return
    await this.#begin(line.account)
    await this.#tellAbout(line.account, [line])
  }

  /** A line closed. `now` in milliseconds. */
  left(account: AccountId, now: number): void {
    if (this.#here.has(account) && !this.#hasLine(account)) this.#here.set(account, now + LINGER)
  }

  /** The account said in a conversation how far it is; if that was the first time, the others may see it from now on. */
  said(account: AccountId, conversation: ConversationId): void {
    if (!this.#here.has(account)) return
    const known = this.#said.get(account) ?? new Set()
    if (known.has(conversation)) return
    this.#said.set(account, known.add(conversation))
    this.#deps.bus.ring({ kind: 'presence', account, online: true })
  }

  /** The account may have changed whether it shares. Mutual: who stops sharing stops seeing. */
  async sharingChanged(account: AccountId): Promise<void> {
    const lines = [...this.#deps.linesOf(account)]
    if (lines.length === 0 && !this.#here.has(account)) return
    const shares = await this.#deps.sharesPresence(account)
    if (shares && lines.length > 0) {
      await this.#begin(account)
      await this.#tellAbout(account, lines)
    }
    if (shares || !this.#here.has(account)) return
    for (const other of await this.#visible(account)) tell(lines, other, false)
    await this.#end(account)
  }

  /** Lets go of whom no line holds any more, renews what is held, and looks whether others are still there. */
  sweep(now: number): void {
    for (const [account, endsAt] of this.#here) {
      if (endsAt === undefined || endsAt > now) continue
      if (this.#hasLine(account)) this.#here.set(account, undefined)
      else this.#orFault(this.#end(account))
    }
    if (now < this.#renewAt) return
    this.#renewAt = now + RENEW_EVERY
    this.#orFault(this.#renew())
  }

  async #begin(account: AccountId): Promise<void> {
    const wasHere = this.#here.has(account)
    this.#here.set(account, undefined)
    if (wasHere) return
    this.#shown.delete(account)
    await this.#deps.leases.hold([account])
    this.#deps.bus.ring({ kind: 'presence', account, online: true })
  }

  async #end(account: AccountId): Promise<void> {
    const { leases, bus } = this.#deps
    this.#here.delete(account)
    this.#said.delete(account)
    await leases.release(account)
    if (!(await this.#isOnline(account))) return bus.ring({ kind: 'presence', account, online: false })
    this.#shown.add(account)
  }

  /** Of those elsewhere whose lease ran out nobody said that they left: their server died. */
  async #renew(): Promise<void> {
    const { leases } = this.#deps
    await leases.hold([...this.#here.keys()])
    const shown = [...this.#shown]
    const online = await leases.online(shown)
    for (const account of shown) if (!online.has(account) && !this.#here.has(account)) await this.#tellOthers(account, false)
  }

  async #noticed({ account, online }: NoticeOf<'presence'>): Promise<void> {
    if ((await this.#isOnline(account)) === online) await this.#tellOthers(account, online)
  }

  async #isOnline(account: AccountId): Promise<boolean> {
    return this.#here.has(account) || (await this.#deps.leases.online([account])).has(account)
  }

  async #tellAbout(account: AccountId, lines: readonly Line[]): Promise<void> {
    for (const other of await this.#visible(account)) tell(lines, other, true)
  }

  /** Others whom it may see online now. */
  async #visible(account: AccountId): Promise<AccountId[]> {
    const others = await this.#deps.heardBy(account)
    const online = await this.#deps.leases.online(others)
    const visible = others.filter((other) => this.#here.has(other) || online.has(other))
    for (const other of visible) if (!this.#here.has(other)) this.#shown.add(other)
    return visible
  }

  /** Those who are here and may see it. */
  async #tellOthers(account: AccountId, online: boolean): Promise<void> {
    if (!online) this.#shown.delete(account)
    const others = (await this.#deps.audienceOf(account)).filter((other) => this.#here.has(other))
    if (online && others.length > 0 && !this.#here.has(account)) this.#shown.add(account)
    for (const other of others) tell(this.#deps.linesOf(other), account, online)
  }

  #hasLine(account: AccountId): boolean {
    for (const _ of this.#deps.linesOf(account)) return true
    return false
  }

  #orFault(work: Promise<void>): void {
    work.catch((error: unknown) => this.#deps.onFault(error))
  }
}

function tell(lines: Iterable<Line>, account: AccountId, online: boolean): void {
  const frame = encodeEvent({ name: 'signals.presence', body: { account, online } })
  for (const line of lines) line.send(frame)
}
