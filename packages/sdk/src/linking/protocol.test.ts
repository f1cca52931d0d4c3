import { AccountId } from '@tacit/contract'
import { newBoxPair } from '@tacit/mls'
import { expect, test } from 'vitest'
import { mintId, sha256 } from '../sealing.ts'
import { signingKeyFrom } from '../signing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { commitmentOf, keepsItsWord, openHandover, sealHandover, shortDigits, type Exchange } from './protocol.ts'

/** Bytes that a seed says, so that a run can be looked at again. */
async function drawn(seed: string, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) => sha256(new TextEncoder().encode(`${seed} ${at}`)))
  return new Uint8Array((await Promise.all(blocks)).flatMap((block) => [...block])).slice(0, length)
}

async function drawnExchange(seed: number): Promise<Exchange> {
  const revealed = { key: await drawn(`key ${seed}`, 1216), nonce: await drawn(`nonce ${seed}`, 32) }
  const account = mintId({ ...random, bytes: () => new Uint8Array(16).fill(seed) }, AccountId)
  return { ...revealed, commitment: await commitmentOf(revealed), offer: await drawn(`offer ${seed}`, 32), account }
}

test('M-29: both devices show the same six digits when nobody stands between', async () => {
  const exchange = await drawnExchange(1)
  expect(await shortDigits({ ...exchange })).toBe(await shortDigits(structuredClone(exchange)))
  expect(await shortDigits(exchange)).toMatch(/^\d{6}$/)
})

test('M-29: in 1,000 of 1,000 runs a server that puts a key of its own in between makes the digits differ', async () => {
  const verdicts = Array.from({ length: 1000 }, async (_, seed) => {
    const honest = await drawnExchange(seed)
    // What each device sees when the server plays the other one: a key of its own to either side, chosen before the other's is shown.
    const newSees = { ...honest, offer: await drawn(`mallory to new ${seed}`, 32) }
    const mallory = { key: await drawn(`mallory key ${seed}`, 1216), nonce: await drawn(`mallory nonce ${seed}`, 32) }
    const oldSees = { ...honest, ...mallory, commitment: await commitmentOf(mallory) }
    return (await shortDigits(newSees)) !== (await shortDigits(oldSees))
  })
  expect((await Promise.all(verdicts)).filter(Boolean).length).toBe(1000)
})

test('M-29: everything that was said is in the digits, each part alone', async () => {
  const exchange = await drawnExchange(7)
  const other = await drawnExchange(8)
  const digits = await shortDigits(exchange)
  for (const part of ['commitment', 'key', 'nonce', 'offer', 'account'] as const)
    expect(await shortDigits({ ...exchange, [part]: other[part] })).not.toBe(digits)
})

test('M-29: a device that shows other keys than it was bound to is found out', async () => {
  const exchange = await drawnExchange(3)
  expect(await keepsItsWord(exchange)).toBe(true)
  expect(await keepsItsWord({ ...exchange, key: (await drawnExchange(4)).key })).toBe(false)
  expect(await keepsItsWord({ ...exchange, nonce: (await drawnExchange(4)).nonce })).toBe(false)
})

async function meeting() {
  const pair = await newBoxPair()
  const by = await signingKeyFrom(random.bytes(32))
  const revealed = { key: pair.publicKey, nonce: random.bytes(32) }
  const account = mintId(random, AccountId)
  const exchange: Exchange = { ...revealed, commitment: await commitmentOf(revealed), offer: by.publicKey, account }
  const handover = { account, accountKey: random.bytes(32), vaultKey: { key: random.bytes(32), generation: 3 } }
  return { pair, by, exchange, handover }
}

test('what is handed over opens on the new device alone', async () => {
  const { pair, by, exchange, handover } = await meeting()
  const sealed = await sealHandover(exchange, { handover, by })
  expect(await openHandover(exchange, { sealed, pair })).toEqual(handover)
  expect(await openHandover(exchange, { sealed, pair: await newBoxPair() })).toBeUndefined()
})

test('M-29: what somebody else hands over is not taken, though it is sealed for the right key', async () => {
  const { pair, exchange, handover } = await meeting()
  const mallory = await signingKeyFrom(random.bytes(32))
  expect(await openHandover(exchange, { sealed: await sealHandover(exchange, { handover, by: mallory }), pair })).toBeUndefined()
})

test('M-29: what was handed over in one link is nothing in another, nor with a byte changed, nor of another account', async () => {
  const { pair, by, exchange, handover } = await meeting()
  const sealed = await sealHandover(exchange, { handover, by })
  expect(await openHandover({ ...exchange, nonce: random.bytes(32) }, { sealed, pair })).toBeUndefined()
  for (const at of [0, 63, 64, 700, sealed.length - 1]) {
    const changed = Uint8Array.from(sealed, (byte, place) => (place === at ? byte ^ 1 : byte))
    expect(await openHandover(exchange, { sealed: changed, pair })).toBeUndefined()
  }
  const others = await sealHandover(exchange, { handover: { ...handover, account: mintId(random, AccountId) }, by })
  expect(await openHandover(exchange, { sealed: others, pair })).toBeUndefined()
})
