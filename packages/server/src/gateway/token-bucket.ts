/**
 * Token buckets, kept as two numbers per key: a socket's budget is spent with every frame, so it must cost nothing.
 * A bucket that is full again is the same as none and is forgotten by `prune`.
 */

export interface BucketSize {
  /** Most tokens at once. */
  readonly burst: number
  /** Tokens that come back each second. */
  readonly perSecond: number
}

interface Bucket {
  tokens: number
  at: number
}

export class TokenBuckets<Key> {
  readonly #size: BucketSize
  readonly #buckets = new Map<Key, Bucket>()

  constructor({ burst, perSecond }: BucketSize) {
    this.#size = { burst, perSecond }
  }

  /**
   * Takes `cost`, also into debt, where there is at least one. Returns 0, or how many seconds until there is one again. Times in
   * milliseconds.
   */
  take(key: Key, now: number, cost = 1): number {
    const bucket = this.#buckets.get(key)
    if (!bucket) {
      this.#buckets.set(key, { tokens: this.#size.burst - cost, at: now })
      return 0
    }
    bucket.tokens = this.#refilled(bucket, now)
    bucket.at = now
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#size.perSecond
    bucket.tokens -= cost
    return 0
  }

  /** How many seconds until there is one, 0 if there is one now; takes nothing. */
  wait(key: Key, now: number): number {
    const bucket = this.#buckets.get(key)
    return bucket ? Math.max(0, (1 - this.#refilled(bucket, now)) / this.#size.perSecond) : 0
  }

  /** Takes so many for what was done, also more than there are: the next one then waits longer. Returns how many seconds. */
  charge(key: Key, amount: number, now: number): number {
    const bucket = this.#buckets.get(key)
    const tokens = (bucket ? this.#refilled(bucket, now) : this.#size.burst) - amount
    if (!bucket) this.#buckets.set(key, { tokens, at: now })
    else [bucket.tokens, bucket.at] = [tokens, now]
    return Math.max(0, (1 - tokens) / this.#size.perSecond)
  }

  /** Whether the key has spent nothing that has not come back. */
  isFull(key: Key, now: number): boolean {
    const bucket = this.#buckets.get(key)
    return !bucket || this.#refilled(bucket, now) >= this.#size.burst
  }

  prune(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#refilled(bucket, now) >= this.#size.burst) this.#buckets.delete(key)
    }
  }

  /** A clock that went back refills nothing and takes nothing away. */
  #refilled({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.#size.burst, tokens + (Math.max(0, now - at) / 1000) * this.#size.perSecond)
  }
}
