/**
 * Somebody who once copied a device's store and from then on sees everything that the server sees. Reads along as far as the
 * keys reach: messages, and commits that others make for the stolen leaf.
 */
import { decodeCbor, type ConversationId, type Entry } from '@tacit/contract'
import type { Group, LeafIdentity } from '@tacit/mls'
import { openEngine, type StoreDriver } from '@tacit/sdk'

export class Thief {
  readonly #engine: Awaited<ReturnType<typeof openEngine>>
  #group: Group

  private constructor(engine: Awaited<ReturnType<typeof openEngine>>, group: Group) {
    this.#engine = engine
    this.#group = group
  }

  /** Copies keys and group state of one conversation. */
  static async copies(store: StoreDriver, conversation: ConversationId): Promise<Thief> {
    const engine = await openEngine()
    const rows = await store.all('select slot, bytes from group_state where conversation = ?', [conversation])
    const slots = rows.map(({ slot, bytes }) => ({ slot: String(slot), bytes: bytesOf(bytes) }))
    const snapshot = slots.find(({ slot }) => slot === '')?.bytes ?? new Uint8Array()
    const rest = slots.filter(({ slot }) => slot !== '')
    return new Thief(engine, await engine.restore({ snapshot, slots: rest, identity: await identityOf(store) }))
  }

  /** Whether the entry, in its place in the log, gave itself away. */
  async reads({ bytes }: Pick<Entry, 'bytes'>): Promise<boolean> {
    try {
      const hooks = { authenticate: () => Promise.resolve(true), judge: () => Promise.resolve(true), now: 1_800_000_000n }
      this.#group = (await this.#engine.open(this.#group, bytes, hooks)).group
      return true
    } catch {
      return false
    }
  }
}

async function identityOf(store: StoreDriver): Promise<LeafIdentity> {
  const row = await store.get('select value from setting where name = ?', ['self'])
  const self = decodeCbor(bytesOf(row?.['value']))
  if (!Array.isArray(self)) throw new TypeError('no device in this store')
  const [, , , , credential, publicKey, secretKey] = self
  return { credential: bytesOf(credential), signature: { publicKey: bytesOf(publicKey), secretKey: bytesOf(secretKey) } }
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('no bytes')
  return value
}
