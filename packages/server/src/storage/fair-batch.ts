/**
 * What the next batch takes when more waits than it may hold: everybody's first piece of work, then everybody's second. So
 * somebody who hands in much waits for own work, and the others do not. Each one's own order stays.
 *
 * Large pieces have a bound of their own, far below that of a batch: small ones cost less the more of them share a commit, and
 * large ones do not, but everybody waits as long as they take.
 */

export interface Bounds<Item> {
  readonly maxItems: number
  readonly maxBytes: number
  /** Whose work it is; undefined is nobody's, and comes first. */
  ownerOf(item: Item): string | undefined
  /** Bytes. */
  sizeOf(item: Item): number
}

/** From here on a piece is a large one, and so many bytes of large ones are in one batch. */
const LARGE = { from: 4 * 1024, maxBytes: 128 * 1024 } as const

/** Takes a batch out of the queue: at least one item if there is any. */
export function takeBatch<Item>(queue: Item[], bounds: Bounds<Item>): Item[] {
  if (new Room(bounds).takesAll(queue)) return queue.splice(0)
  const room = new Room(bounds)
  const taken = new Set(inRounds(queue, bounds).filter((item) => room.takes(item)))
  queue.splice(0, queue.length, ...queue.filter((item) => !taken.has(item)))
  return [...taken]
}

function inRounds<Item>(queue: readonly Item[], { ownerOf }: Bounds<Item>): Item[] {
  const rounds: Item[][] = []
  const handedIn = new Map<string, number>()
  for (const item of queue) {
    const owner = ownerOf(item)
    const round = owner === undefined ? 0 : (handedIn.get(owner) ?? 0)
    if (owner !== undefined) handedIn.set(owner, round + 1)
    ;(rounds[round] ??= []).push(item)
  }
  return rounds.flat()
}

/** What one batch still has room for. */
class Room<Item> {
  readonly #bounds: Bounds<Item>
  #items = 0
  #bytes = 0
  #largeBytes = 0
  /** Whose next piece did not fit: nothing that they handed in after it overtakes it. */
  readonly #waiting = new Set<string | undefined>()

  constructor(bounds: Bounds<Item>) {
    this.#bounds = bounds
  }

  takesAll(items: readonly Item[]): boolean {
    return items.length <= this.#bounds.maxItems && items.every((item) => this.#fits(this.#bounds.sizeOf(item)))
  }

  takes(item: Item): boolean {
    const { maxItems, ownerOf, sizeOf } = this.#bounds
    if (this.#items >= maxItems || this.#waiting.has(ownerOf(item))) return false
    if (this.#fits(sizeOf(item))) return true
    this.#waiting.add(ownerOf(item))
    return false
  }

  /** The first one does, however large it is. */
  #fits(size: number): boolean {
    const large = size >= LARGE.from ? size : 0
    const fits = this.#bytes + size <= this.#bounds.maxBytes && (large === 0 || this.#largeBytes + large <= LARGE.maxBytes)
    if (!fits && this.#items > 0) return false
    this.#items += 1
    this.#bytes += size
    this.#largeBytes += large
    return true
  }
}
