/**
 * The floor under the MLS bench: the signatures, encapsulations, encryptions and long hashes that RFC 9420 asks of an operation,
 * by the same primitives, with nothing around them. What an engine takes beyond it is its own.
 */
import { suiteOf } from '@tacit/mls/public'
import type { Bytes } from '@tacit/mls'

export type Floors = Readonly<Record<'add all' | 'join' | 'update, cold' | 'process it' | 'seal 200 B' | 'open 200 B', number>>

interface FloorRun {
  readonly suite: number
  readonly members: number
  /** Bytes of the commit that adds everybody, and of the one that updates the cold tree. */
  readonly lengths: { readonly add: number; readonly update: number }
  readonly clock: () => number
  /** Times that everything is measured; the least counts. */
  readonly repetitions: number
}

/** Bytes of what a leaf's signature covers, beyond its keys. */
const LEAF = 200

/** Milliseconds per operation. */
export async function measureFloors({ suite, members, lengths, clock, repetitions }: FloorRun): Promise<Floors> {
  const by = suiteOf(suite)
  const { kem } = by.hpke
  const least = async (work: () => Promise<unknown>): Promise<number> => {
    let best = Infinity
    for (let round = 0; round < repetitions; round++) {
      const before = clock()
      await work()
      best = Math.min(best, clock() - before)
    }
    return best
  }
  const pair = await by.signature.generate()
  const others = await Promise.all(Array.from({ length: members - 1 }, () => signedLeaf()))
  const recipients = await Promise.all(others.map(() => kem.generate()))
  const aeadInput = () => ({ key: new Uint8Array(by.aead.keyLength), nonce: new Uint8Array(12), aad: new Uint8Array(40) })
  const [adding, commit] = [new Uint8Array(lengths.add), new Uint8Array(lengths.update)]
  const signed = await by.signature.sign(pair.secretKey, commit)
  const message = new Uint8Array(256)
  const short = await by.signature.sign(pair.secretKey, message)
  const sealed = await by.aead.seal(aeadInput(), message)
  const sealedSender = await by.aead.seal(aeadInput(), message.subarray(0, 12))

  async function signedLeaf(): Promise<{ key: Bytes; content: Bytes; signature: Bytes }> {
    const { publicKey, secretKey } = await by.signature.generate()
    const content = new Uint8Array(kem.publicKeyLength + LEAF)
    return { key: publicKey, content, signature: await by.signature.sign(secretKey, content) }
  }
  // A copy of the key each time, so that loading it counts.
  const verifyAll = () => Promise.all(others.map(({ key, content, signature }) => by.signature.verify(key.slice(), content, signature)))
  const encryptAll = () =>
    Promise.all(
      recipients.map(async ({ publicKey }) => {
        await kem.encapsulate(publicKey)
        await by.aead.seal(aeadInput(), message.subarray(0, by.hash.length))
      }),
    )
  // The membership tag and the transcript.
  const hashLong = async (bytes: Bytes): Promise<void> => {
    await by.hash.longHmac(new Uint8Array(by.hash.length), bytes)
    await by.hash.longDigest(bytes)
  }
  const signLong = (bytes: Bytes) => async (): Promise<void> => {
    await by.signature.sign(pair.secretKey, bytes)
    await hashLong(bytes)
  }
  const processLong = async (): Promise<void> => {
    await by.signature.verify(pair.publicKey, commit, signed)
    await hashLong(commit)
    await kem.decapsulate(own, output)
    for (let nodes = 1; nodes < members; nodes *= 2) await kem.derive(new Uint8Array(by.hash.length).fill(nodes))
  }
  const many = (work: () => Promise<unknown>) => async (): Promise<void> => {
    for (let at = 0; at < 200; at++) await work()
  }
  const own = await kem.generate()
  const { output } = await kem.encapsulate(own.publicKey)
  const verifying = await least(verifyAll)
  const encrypting = await least(encryptAll)
  const sealing = async (): Promise<void> => {
    await by.signature.sign(pair.secretKey, message)
    await by.aead.seal(aeadInput(), message)
    await by.aead.seal(aeadInput(), message.subarray(0, 12))
  }
  const opening = async (): Promise<void> => {
    await by.aead.open(aeadInput(), sealedSender)
    await by.aead.open(aeadInput(), sealed)
    await by.signature.verify(pair.publicKey, message, short)
  }
  return {
    // Each newcomer signed a leaf and a key package.
    'add all': 2 * verifying + encrypting + (await least(signLong(adding))),
    join: verifying,
    'update, cold': encrypting + (await least(signLong(commit))),
    'process it': await least(processLong),
    'seal 200 B': (await least(many(sealing))) / 200,
    'open 200 B': (await least(many(opening))) / 200,
  }
}
