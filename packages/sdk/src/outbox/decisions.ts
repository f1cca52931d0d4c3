/** Who waits for an intent: a verb that ends when what it asked for is true, or never will be. */
import type { ConversationId } from '@tacit/contract'
import type { Decided } from '../device-core.ts'

type Waiting = { readonly resolve: (elsewhere: ConversationId | undefined) => void; readonly reject: (failure: unknown) => void }

export class Decisions {
  readonly #waiting = new Map<number, Waiting>()

  /** Resolves when the intent is true, with the conversation in which it is if that is another; rejects when it never will be. */
  of(intent: number): Promise<ConversationId | undefined> {
    return new Promise((resolve, reject) => this.#waiting.set(intent, { resolve, reject }))
  }

  decided(intent: number, outcome: Decided = { kind: 'true' }): void {
    const waiting = this.#waiting.get(intent)
    this.#waiting.delete(intent)
    if (outcome.kind === 'never') waiting?.reject(outcome.why)
    else waiting?.resolve(outcome.kind === 'elsewhere' ? outcome.conversation : undefined)
  }

  /** Nobody here will know any more. */
  end(why: Error): void {
    for (const { reject } of this.#waiting.values()) reject(why)
    this.#waiting.clear()
  }
}
