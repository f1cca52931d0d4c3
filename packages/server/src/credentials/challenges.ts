/** What ties the two steps of a proof: a challenge in the database, good once and for five minutes. */
import { ChallengeId, Refusal } from '@tacit/contract'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import * as store from './credentials.store.ts'

export interface ChallengesDeps {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
}

const CHALLENGE_LIFE_MS = 5 * 60_000
/** Waiting proofs at most; beyond it newcomers wait, because disk space is everybody's. */
const MAX_CHALLENGES = 20_000

export class Challenges {
  readonly #deps: ChallengesDeps

  constructor(deps: ChallengesDeps) {
    this.#deps = deps
  }

  async begin(challenge: Pick<store.ChallengeRow, 'purpose' | 'account' | 'state'>): Promise<ChallengeId> {
    const { database, clock, random } = this.#deps
    const id = ChallengeId.parse(random.id())
    await database.write(async (tx) => {
      if ((await store.countChallenges(tx)) >= MAX_CHALLENGES) throw new Refusal('unavailable', { retryAfter: 60 })
      await store.addChallenge(tx, { id, ...challenge, expires_at: clock.now() + CHALLENGE_LIFE_MS })
    })
    return id
  }

  /** Takes the challenge out, so that its answer cannot be given twice. Refuses `expired`. */
  async take(key: Pick<store.ChallengeRow, 'id' | 'purpose'>): Promise<store.ChallengeRow> {
    const row = await this.#deps.database.write((tx) => store.takeChallenge(tx, key))
    if (!row || row.expires_at <= this.#deps.clock.now()) throw new Refusal('expired')
    return row
  }

  /** Drops challenges that nobody came back for. */
  async sweep(): Promise<void> {
    await this.#deps.database.write((tx) => store.dropChallengesBefore(tx, this.#deps.clock.now()))
  }
}
