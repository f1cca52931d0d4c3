/** One member of a walk: it stores what it is told to store, and goes on from what storage gives back. */
import { MlsError } from '../errors.ts'
import type { MlsErrorCause } from '../errors.ts'
import { equal, hex, text } from '../crypto/bytes.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes, Group, LeafIdentity, MlsEngine, Persist } from '../port.ts'
import { findResumption, receive, resumptionKey } from '../protocol/index.ts'
import type { ResumptionKey } from '../protocol/index.ts'
import type { PskId } from '../public/proposal.ts'

export const NOW = 1_800_000_000n
export const yes = (): Promise<boolean> => Promise.resolve(true)

/** Throws what a walk was promised and did not get. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`walk: ${what}`)
}

/** The external PSK of a name, which all members know. */
export const sharedPsk = (id: Bytes): Bytes => text(`told to all members: ${hex(id)}`)

/** How many skipped keys a patient member keeps per sender; the others keep none. */
export const PATIENCE = 8

export interface Engines {
  readonly strict: MlsEngine
  readonly patient: MlsEngine
}

export class Walker {
  readonly identity: LeafIdentity
  readonly patient: boolean
  readonly #engine: MlsEngine
  group: Group
  #snapshot: Bytes = new Uint8Array()
  readonly #slots = new Map<string, Bytes>()
  /** Resumption keys of the last epochs, the newest first. */
  #resumption: readonly ResumptionKey[] = []

  private constructor(engine: MlsEngine, start: { identity: LeafIdentity; group: Group; patient: boolean }) {
    this.#engine = engine
    this.identity = start.identity
    this.group = start.group
    this.patient = start.patient
  }

  static async begin(
    engines: Engines,
    start: { identity: LeafIdentity; group: Group; persist: Persist; patient: boolean },
  ): Promise<Walker> {
    const walker = new Walker(start.patient ? engines.patient : engines.strict, start)
    await walker.keep(start)
    return walker
  }

  get leaf(): number {
    return this.group.ownLeafIndex
  }

  #store(persist: Persist): void {
    if (persist.kind === 'snapshot') {
      this.#snapshot = persist.bytes
      this.#slots.clear()
    }
    for (const { slot, bytes } of persist.slots) {
      if (bytes) this.#slots.set(slot, bytes)
      else this.#slots.delete(slot)
    }
  }

  /** Stores, and goes on from what storage gives back. */
  async keep({ group, persist }: { group: Group; persist: Persist }): Promise<void> {
    this.#store(persist)
    const slots = [...this.#slots].map(([slot, bytes]) => ({ slot, bytes })).toReversed()
    this.group = await this.#engine.restore({ snapshot: this.#snapshot, slots, identity: this.identity })
    demand(viewOf(group) === viewOf(this.group), 'storage changed the group')
    if (persist.kind === 'snapshot' && stateOf(group).ended !== 'removed')
      this.#resumption = [resumptionKey(this.group), ...this.#resumption].slice(0, 3)
  }

  /** What this member knows of earlier epochs and of the PSKs that everybody was told. */
  readonly findPsk = async (id: PskId): Promise<Bytes | undefined> =>
    findResumption(this.#resumption, async (other) => (other.kind === 'external' ? sharedPsk(other.id) : undefined))(id)

  resumptionOf(groupId: Bytes, epoch: bigint): Bytes | undefined {
    return this.#resumption.find((known) => known.epoch === epoch && equal(known.groupId, groupId))?.psk
  }

  /** Opens an entry through the port, or through the protocol's door, which knows more kinds of handshakes. */
  async hear(entry: Bytes, by: 'port' | 'protocol' = 'port'): Promise<Bytes | undefined> {
    const hooks = { authenticate: yes, judge: yes, now: NOW }
    const skippedKeys = this.patient ? PATIENCE : 0
    const opened =
      by === 'port'
        ? await this.#engine.open(this.group, entry, hooks)
        : await receive(this.group, entry, { ...hooks, findPsk: this.findPsk, skippedKeys })
    await this.keep(opened)
    return opened.kind === 'message' ? opened.payload : undefined
  }

  async seal(words: string): Promise<Bytes> {
    const made = await this.#engine.seal(this.group, text(words))
    const size = made.persist.slots.reduce((sum, { slot, bytes }) => sum + slot.length + (bytes?.length ?? 0), 0)
    demand(size < 1024, 'a delta is larger than 1 KB')
    await this.keep(made)
    return made.sealed
  }
}

const viewOf = ({ groupId, epoch, members, active, pendingProposals, epochAuthenticator }: Group): string =>
  [hex(groupId), epoch, members.length, active, pendingProposals.length, hex(epochAuthenticator)].join()

/** The reason of a refusal; undefined when the work was done. Anything thrown that is not typed breaks the walk. */
export const refusalOf = (work: Promise<unknown>): Promise<MlsErrorCause | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof MlsError) return error.reason
      throw error
    },
  )
