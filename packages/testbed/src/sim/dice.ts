/** The one source of chance of a simulation: everything that happens is drawn from a seed, so it can happen again. */

/** Draws by xoshiro128** (Blackman and Vigna), seeded with splitmix32. Not for secrets. */
export class Dice {
  readonly #state: Uint32Array

  constructor(seed: number | string) {
    let mixed = typeof seed === 'number' ? seed >>> 0 : hashOf(seed)
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mixed = (mixed + 0x9e37_79b9) >>> 0
      return mix(mixed)
    })
  }

  /** Other dice whose draws depend on the name and on nothing that is drawn here. */
  named(name: string): Dice {
    return new Dice(`${name} ${[...this.#state].join(' ')}`)
  }

  /** A whole number of at least 0 and less than `below`. */
  below(below: number): number {
    return Math.floor(this.fraction() * below)
  }

  /** At least `from`, at most `to`, both whole. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  /** At least 0, less than 1. */
  fraction(): number {
    return this.#next() / 0x1_0000_0000
  }

  /** True once in so many draws, on average. */
  onceIn(draws: number): boolean {
    return this.fraction() * draws < 1
  }

  /** One of them; undefined when there is none. */
  pick<T>(of: readonly T[]): T | undefined {
    return of[this.below(of.length)]
  }

  fill<T extends Uint8Array>(bytes: T): T {
    for (let at = 0; at < bytes.length; at += 4) {
      const drawn = this.#next()
      for (let byte = 0; byte < 4 && at + byte < bytes.length; byte += 1) bytes[at + byte] = drawn >>> (8 * byte)
    }
    return bytes
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return this.fill(new Uint8Array(length))
  }

  #next(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#state
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    const [third, fourth] = [c ^ a, d ^ b]
    this.#state.set([a ^ fourth, b ^ third, third ^ (b << 9), rotated(fourth, 11)])
    return result
  }
}

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0_aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193)
  return hash >>> 0
}
