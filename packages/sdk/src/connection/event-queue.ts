/** Events of one socket, dealt with one after the other; bounded, and broken for good by the first that cannot be dealt with. */
import { closeCodes, type EventFrame } from '@tacit/contract'

/** An honest server sends at most its window unasked; more waiting events than this is a flood. */
const MOST_QUEUED = 4096

export class EventQueue {
  readonly #deal: (event: EventFrame) => Promise<void>
  readonly #broken: (code: number) => void
  readonly #events: EventFrame[] = []
  #running = false
  #stopped = false

  constructor(parts: { readonly deal: (event: EventFrame) => Promise<void>; readonly broken: (code: number) => void }) {
    this.#deal = parts.deal
    this.#broken = parts.broken
  }

  add(event: EventFrame): void {
    if (this.#stopped) return
    if (this.#events.length >= MOST_QUEUED) return this.#broken(closeCodes.flooding)
    this.#events.push(event)
    if (!this.#running) void this.#run()
  }

  stop(): void {
    this.#stopped = true
    this.#events.length = 0
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let event = this.#events.shift(); event && !this.#stopped; event = this.#events.shift()) {
      try {
        await this.#deal(event)
      } catch {
        this.#broken(1006)
      }
    }
    this.#running = false
  }
}
