/**
 * Leases in Redis: per account the servers where it is online, each with its end. Without Redis a server knows its own people
 * only; when Redis is back, or has forgotten everything, the next renewal tells it.
 */
import type { AccountId } from '@tacit/contract'
import type { RedisLink } from '../bus/redis-link.ts'
import type { Clock } from '../clock.ts'
import { LEASE_LASTS, OwnLeases, type Leases } from './leases.ts'

export interface RedisLeasesDeps {
  readonly link: Pick<RedisLink, 'prefix' | 'ask'>
  /** A name of this process that no other has. */
  readonly node: string
  readonly clock: Clock
}

/** Commands that are sent together. */
const AT_ONCE = 250

export class RedisLeases implements Leases {
  readonly #deps: RedisLeasesDeps
  readonly #own: OwnLeases

  constructor(deps: RedisLeasesDeps) {
    this.#deps = deps
    this.#own = new OwnLeases(deps.clock)
  }

  async hold(accounts: readonly AccountId[]): Promise<void> {
    await this.#own.hold(accounts)
    const { link, node, clock } = this.#deps
    const lease = { value: node, score: clock.now() + LEASE_LASTS }
    await inParts(accounts, (part) =>
      link.ask((redis) =>
        Promise.all(
          part.flatMap((account) => [redis.zAdd(this.#key(account), lease), redis.pExpire(this.#key(account), LEASE_LASTS)] as const),
        ),
      ),
    ).catch(unknowing)
  }

  async release(account: AccountId): Promise<void> {
    await this.#own.release(account)
    const { link, node } = this.#deps
    await link.ask((redis) => redis.zRem(this.#key(account), node)).catch(unknowing)
  }

  async online(accounts: readonly AccountId[]): Promise<ReadonlySet<AccountId>> {
    const { link, clock } = this.#deps
    const own = await this.#own.online(accounts)
    const now = clock.now()
    const counts = await inParts(accounts, (part) =>
      link.ask((redis) => Promise.all(part.map((account) => redis.zCount(this.#key(account), `(${now}`, '+inf')))),
    ).catch(unknowing)
    return new Set(accounts.filter((account, at) => own.has(account) || (counts?.[at] ?? 0) > 0))
  }

  #key(account: AccountId): string {
    return `${this.#deps.link.prefix}online:${account}`
  }
}

async function inParts<Item, Answer>(
  items: readonly Item[],
  ask: (part: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) answers.push(...(await ask(items.slice(at, at + AT_ONCE))))
  return answers
}

const unknowing = (): undefined => undefined
