/** What is shown of the connection: whether the server is there, and how much waits for it. */
import type { ConnectionState, Live, Reach } from './api.ts'
import { LiveValue, type LiveQuery } from './live.ts'

export class ConnectionView implements Live<ConnectionState> {
  readonly reach = new LiveValue<Reach>({ kind: 'offline' })
  readonly #unsent: LiveQuery<number>
  #last: { readonly reach: Reach; readonly state: ConnectionState } | undefined

  constructor(unsent: LiveQuery<number>) {
    this.#unsent = unsent
  }

  get(): ConnectionState {
    const reach = this.reach.get()
    const unsent = this.#unsent.get()
    if (this.#last?.reach !== reach || this.#last.state.unsent !== unsent) this.#last = { reach, state: { ...reach, unsent } }
    return this.#last.state
  }

  subscribe(listener: () => void): () => void {
    const stops = [this.reach.subscribe(listener), this.#unsent.subscribe(listener)]
    return () => stops.forEach((stop) => stop())
  }

  /** Something may have been written or sent. */
  refresh(): void {
    this.#unsent.refresh()
  }
}
