/**
 * What the next batch takes when more waits than it may hold: everybody's first piece of work, then everybody's second. So
 * somebody who hands in much waits for own work, and the others do not. Each one's own order stays.
 */

export interface Bounds<Item> {
  readonly maxItems: number
  readonly maxBytes: number
  /** Whose work it is; undefined is nobody's, and comes first. */
  ownerOf(item: Item): string | undefined
  /** Bytes. */
  sizeOf(item: Item): number
}

/** Takes a batch out of the queue: at least one item if there is any. */
export function takeBatch<Item>(queue: Item[], bounds: Bounds<Item>): Item[] {
  if (countFitting(queue, bounds) === queue.length) return queue.splice(0)
  const rounds = inRounds(queue, bounds)
  const taken = rounds.slice(0, countFitting(rounds, bounds))
  const gone = new Set(taken)
  queue.splice(0, queue.length, ...queue.filter((item) => !gone.has(item)))
  return taken
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

function countFitting<Item>(items: readonly Item[], { maxItems, maxBytes, sizeOf }: Bounds<Item>): number {
  let bytes = 0
  const end = items.findIndex((item, at) => {
    bytes += sizeOf(item)
    return at === maxItems || (at > 0 && bytes > maxBytes)
  })
  return end < 0 ? items.length : end
}
