/** Second opinions that listen over the shoulders of members, and must come to the same epochs and words as the engine. */
import { equal } from '../crypto/bytes.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes, KeyPackagePair } from '../port.ts'
import { SecondOpinion } from '../second-opinion/second-opinion.ts'
import { Cursor } from '../second-opinion/wire.ts'
import { demand, sharedPsk } from './walker.ts'
import type { Walker } from './walker.ts'

/** So many members are listened to at a time. */
const WITNESSES = 2

interface Witness {
  readonly walker: Walker
  readonly opinion: SecondOpinion
}

export class Witnesses {
  #all: readonly Witness[] = []
  /** Commits and messages that a second opinion confirmed. */
  readonly confirmed = { commits: 0, joins: 0, messages: 0 }

  /** Listens to a newcomer from its Welcome on, unless there are enough. `known` finds the resumption PSKs of others. */
  join(walker: Walker, by: { welcome: Bytes; keyPackage: KeyPackagePair; known: Walker }): void {
    if (this.#all.length >= WITNESSES) return
    const secret = new Cursor(by.keyPackage.secret)
    const opinion = SecondOpinion.join({
      welcome: by.welcome,
      keyPackage: by.keyPackage.keyPackage,
      initKey: secret.opaque(),
      encryptionKey: secret.opaque(),
      findPsk: (psk) => (psk.kind === 'external' ? sharedPsk(psk.id) : by.known.resumptionOf(psk.id, psk.epoch)),
    })
    this.#all = [...this.#all, { walker, opinion }]
    expectAgreement({ walker, opinion })
    this.confirmed.joins++
  }

  /** An entry that everybody but `from` received. What the own member says, a listener cannot follow. */
  hear(entry: Bytes, from: Walker | undefined, says?: Bytes): void {
    this.#all = this.#all.filter(({ walker, opinion }) => {
      if (walker === from) return false
      const heard = opinion.hear(entry)
      if (heard.kind === 'message') {
        demand(says !== undefined && equal(heard.payload, says), 'the second opinion read other words')
        this.confirmed.messages++
      }
      return heard.kind !== 'over'
    })
  }

  /** After a commit was processed by everybody. */
  compare(members: readonly Walker[]): void {
    this.#all = this.#all.filter(({ walker }) => members.includes(walker))
    for (const witness of this.#all) expectAgreement(witness)
    this.confirmed.commits += this.#all.length > 0 ? 1 : 0
  }

  /** The group is another one from now on. */
  leave(): void {
    this.#all = []
  }
}

const expectAgreement = ({ walker, opinion }: Witness): void => {
  const { context } = stateOf(walker.group)
  demand(opinion.epoch === walker.group.epoch, 'the second opinion is in another epoch')
  demand(equal(opinion.treeHash, context.treeHash), 'the second opinion has another tree')
  demand(equal(opinion.transcriptHash, context.confirmedTranscriptHash), 'the second opinion has another transcript')
  demand(equal(opinion.authenticator, walker.group.epochAuthenticator), 'the second opinion has another epoch authenticator')
}
