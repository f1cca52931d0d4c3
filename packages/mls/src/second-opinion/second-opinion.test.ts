/** The second opinion is a judge of the engine, so it is judged itself: by the official vectors of members that only listen. */
import { describe, expect } from 'vitest'
import { vectorTest } from '../crypto/vectors.test-support.ts'
import { SecondOpinion } from './second-opinion.ts'

interface Vector {
  cipher_suite: number
  external_psks: { psk_id: string; psk: string }[]
  key_package: string
  encryption_priv: string
  init_priv: string
  welcome: string
  ratchet_tree: string | null
  initial_epoch_authenticator: string
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[]
}

const bytes = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, 'hex'))
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')

const listen = (vector: Vector): void => {
  const psks = new Map(vector.external_psks.map(({ psk_id, psk }) => [psk_id, bytes(psk)]))
  const member = SecondOpinion.join({
    welcome: bytes(vector.welcome),
    // Without the header of an MLSMessage.
    keyPackage: bytes(vector.key_package).slice(4),
    initKey: bytes(vector.init_priv),
    encryptionKey: bytes(vector.encryption_priv),
    findPsk: ({ id }) => psks.get(hex(id)),
    ...(vector.ratchet_tree ? { tree: bytes(vector.ratchet_tree) } : {}),
  })
  expect(hex(member.authenticator)).toBe(vector.initial_epoch_authenticator)
  for (const { proposals, commit, epoch_authenticator } of vector.epochs) {
    for (const proposal of proposals) member.hear(bytes(proposal))
    member.hear(bytes(commit))
    expect(hex(member.authenticator)).toBe(epoch_authenticator)
  }
}

describe('the second opinion follows the members of the official vectors in suite 1', () => {
  for (const file of ['welcome', 'handling-commit', 'random']) {
    vectorTest<Vector>(`mls/passive-client-${file}.json`, `passive-client-${file}`, async (vectors) => {
      const ours = vectors.filter((vector) => vector.cipher_suite === 1)
      expect(ours.length).toBeGreaterThan(0)
      ours.forEach(listen)
    })
  }
})
