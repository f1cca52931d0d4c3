/** Conversations that were taken up a moment ago, here or on another own device: what was kept from the others there is said now. */
import type { ConversationId } from '@tacit/contract'
import type { Writer } from '../local-store/driver.ts'
import { settleContacts } from '../vault/contacts.ts'
import { settleAdmissions } from './admission.ts'

export class TakenUp {
  readonly #goOn: (conversation: ConversationId) => Promise<void>
  readonly #waiting = new Set<ConversationId>()

  constructor(goOn: (conversation: ConversationId) => Promise<void>) {
    this.#goOn = goOn
  }

  /** The vault's `people` are others than before, in the transaction that makes them so. */
  async settle(writer: Writer): Promise<void> {
    await settleContacts(writer)
    for (const conversation of await settleAdmissions(writer)) this.#waiting.add(conversation)
  }

  /** And after it. */
  async goOn(): Promise<void> {
    const conversations = [...this.#waiting]
    this.#waiting.clear()
    for (const conversation of conversations) await this.#goOn(conversation)
  }
}
