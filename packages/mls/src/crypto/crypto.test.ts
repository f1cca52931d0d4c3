import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { fromHex, hex } from './bytes.ts'
import { AES_256_GCM } from './aead.ts'
import { hashInfo, hpkeOf, open, seal } from './hpke.ts'
import { SHA256, SHA384 } from './hash.ts'
import { DHKEM_X25519, labeledExpand, labeledExtract, MLKEM768_X25519 } from './kem.ts'
import { CHACHA20_POLY1305 } from './more-primitives.ts'
import { isSoundEd25519Key, isSoundX25519Key } from './small-order.ts'
import { ED25519 } from './signature.ts'
import * as suites from './suite.ts'
import { vectorTest } from './vectors.test-support.ts'

interface Basics {
  cipher_suite: number
  derive_secret: { label: string; out: string; secret: string }
  derive_tree_secret: { generation: number; label: string; length: number; out: string; secret: string }
  encrypt_with_label: {
    ciphertext: string
    context: string
    kem_output: string
    label: string
    plaintext: string
    priv: string
    pub: string
  }
  expand_with_label: { context: string; label: string; length: number; out: string; secret: string }
  ref_hash: { label: string; out: string; value: string }
  sign_with_label: { content: string; label: string; priv: string; pub: string; signature: string }
}

vectorTest<Basics>('mls/crypto-basics.json', 'crypto basics agree with the official vectors in suites 1 to 7', async (vectors) => {
  for (const vector of vectors) {
    const by = suites.suiteOf(vector.cipher_suite)
    const derived = vector.derive_secret
    expect(hex(suites.deriveSecret(by, fromHex(derived.secret), derived.label))).toBe(derived.out)
    const tree = vector.derive_tree_secret
    const [out] = suites.deriveTreeSecrets(by, fromHex(tree.secret), { generation: tree.generation, wanted: [tree] })
    expect(out && hex(out)).toBe(tree.out)
    const expanded = vector.expand_with_label
    expect(hex(suites.expandWithLabel(by, fromHex(expanded.secret), { ...expanded, context: fromHex(expanded.context) }))).toBe(
      expanded.out,
    )
    expect(hex(suites.refHash(by, vector.ref_hash.label, fromHex(vector.ref_hash.value)))).toBe(vector.ref_hash.out)
    await checkSignature(by, vector.sign_with_label)
    await checkEncryption(by, vector.encrypt_with_label)
  }
})

const checkSignature = async (by: suites.CipherSuite, vector: Basics['sign_with_label']): Promise<void> => {
  const signed = { label: vector.label, content: fromHex(vector.content) }
  const publicKey = fromHex(vector.pub)
  by.signature.check(publicKey)
  expect(await suites.verifyWithLabel(by, publicKey, { ...signed, signature: fromHex(vector.signature) })).toBe(true)
  const own = await suites.signWithLabel(by, fromHex(vector.priv), signed)
  expect(await suites.verifyWithLabel(by, publicKey, { ...signed, signature: own })).toBe(true)
  own[5] = (own[5] ?? 0) ^ 1
  expect(await suites.verifyWithLabel(by, publicKey, { ...signed, signature: own })).toBe(false)
}

const checkEncryption = async (by: suites.CipherSuite, vector: Basics['encrypt_with_label']): Promise<void> => {
  const pair = { publicKey: fromHex(vector.pub), secretKey: fromHex(vector.priv) }
  by.hpke.kem.check(pair.publicKey)
  const info = await suites.encryptionInfo(by, vector.label, fromHex(vector.context))
  const sealed = { kemOutput: fromHex(vector.kem_output), ciphertext: fromHex(vector.ciphertext) }
  expect(hex(await suites.decryptWithLabel(by, { pair, info }, sealed))).toBe(vector.plaintext)
  const own = await suites.encryptWithLabel(by, { publicKey: pair.publicKey, info }, fromHex(vector.plaintext))
  expect(hex(await suites.decryptWithLabel(by, { pair, info }, own))).toBe(vector.plaintext)
}

interface HpkeVector {
  kem_id: number
  kdf_id: number
  aead_id: number
  info: string
  ikmE: string
  ikmR: string
  skRm: string
  pkRm: string
  enc: string
  shared_secret: string
  key: string
  base_nonce: string
  encryptions: { aad: string; ct: string; nonce: string; pt: string }[]
}

vectorTest<HpkeVector>('hpke-pq/test-vectors.json', 'the hybrid KEM agrees with the HPKE-PQ vectors', async (vectors) => {
  const hybrid = vectors.filter((vector) => vector.kem_id === MLKEM768_X25519.id)
  expect(hybrid).toHaveLength(2)
  for (const vector of hybrid) {
    const pair = await MLKEM768_X25519.derive(fromHex(vector.ikmR))
    expect(hex(pair.secretKey)).toBe(vector.skRm)
    expect(hex(pair.publicKey)).toBe(vector.pkRm)
    expect(hex(await MLKEM768_X25519.decapsulate(pair, fromHex(vector.enc)))).toBe(vector.shared_secret)
    const encapsulated = await MLKEM768_X25519.encapsulate(pair.publicKey, fromHex(vector.ikmE))
    expect([hex(encapsulated.output), hex(encapsulated.shared)]).toEqual([vector.enc, vector.shared_secret])
    if (vector.kdf_id !== 1) continue
    const hpke = hpkeOf(MLKEM768_X25519, SHA256, CHACHA20_POLY1305)
    const secret = labeledExtract(hpke, encapsulated.shared, 'secret', new Uint8Array())
    const { context } = await hashInfo(hpke, fromHex(vector.info))
    expect(hex(labeledExpand(hpke, secret, { label: 'key', info: context, length: 32 }))).toBe(vector.key)
    const [first] = vector.encryptions
    if (!first) throw new Error('no encryption in the vector')
    const input = { key: fromHex(vector.key), nonce: fromHex(first.nonce), aad: fromHex(first.aad) }
    expect(hex(await CHACHA20_POLY1305.open(input, fromHex(first.ct)))).toBe(first.pt)
  }
})

describe('B-109 P10 P11: keys of small order', () => {
  test('no small-order Ed25519 point passes, and honest keys do', async () => {
    const torsion = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
    for (let times = 1n; times <= 8n; times++) {
      const point = times === 8n ? ed25519.Point.ZERO : torsion.multiplyUnsafe(times)
      expect(isSoundEd25519Key(point.toBytes())).toBe(false)
    }
    expect(isSoundEd25519Key(fromHex(`edffffff${'ff'.repeat(27)}7f`))).toBe(false)
    for (let made = 0; made < 20; made++) expect(isSoundEd25519Key((await ED25519.generate()).publicKey)).toBe(true)
  })

  test('the identity key signs nothing, on any platform', async () => {
    const identity = fromHex(`01${'00'.repeat(31)}`)
    const signature = fromHex(`01${'00'.repeat(63)}`)
    for (let message = 0; message < 64; message++) expect(await ED25519.verify(identity, Uint8Array.of(message), signature)).toBe(false)
  })

  test('no low-order X25519 key passes, and none agrees on a secret', async () => {
    const low = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      `ecffffff${'ff'.repeat(27)}7f`,
      `edffffff${'ff'.repeat(27)}7f`,
      `eeffffff${'ff'.repeat(27)}7f`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    ]
    for (const key of low.map(fromHex)) {
      expect(isSoundX25519Key(key)).toBe(false)
      expect(() => x25519.getSharedSecret(new Uint8Array(32).fill(9), key)).toThrow()
      await expect(DHKEM_X25519.encapsulate(key)).rejects.toMatchObject({ reason: 'invalid' })
    }
    expect(isSoundX25519Key((await DHKEM_X25519.generate()).publicKey)).toBe(true)
  })

  test('a hybrid key with an unreduced ML-KEM coefficient is refused', async () => {
    const { publicKey } = await MLKEM768_X25519.generate()
    MLKEM768_X25519.check(publicKey)
    const unreduced = publicKey.slice()
    unreduced.set([0xff, 0xff, 0xff])
    expect(() => MLKEM768_X25519.check(unreduced)).toThrow(expect.objectContaining({ reason: 'invalid' }))
    await expect(MLKEM768_X25519.encapsulate(publicKey.slice(1))).rejects.toMatchObject({ reason: 'invalid' })
  })
})

test('a changed HPKE ciphertext fails as auth_failed', async () => {
  const hpke = hpkeOf(MLKEM768_X25519, SHA384, AES_256_GCM)
  const pair = await MLKEM768_X25519.generate()
  const info = await hashInfo(hpke, new Uint8Array(3))
  const sealed = await seal(hpke, { publicKey: pair.publicKey, info }, Uint8Array.of(1, 2, 3))
  expect(await open(hpke, { pair, info }, sealed)).toEqual(Uint8Array.of(1, 2, 3))
  const changed = { ...sealed, kemOutput: sealed.kemOutput.map((byte, at) => (at === 3 ? byte ^ 1 : byte)) }
  await expect(open(hpke, { pair, info }, changed)).rejects.toMatchObject({ reason: 'auth_failed' })
})

test('an unknown suite is unsupported', () => {
  expect(() => suites.suiteOf(0x0a0a)).toThrow(expect.objectContaining({ reason: 'unsupported' }))
})
