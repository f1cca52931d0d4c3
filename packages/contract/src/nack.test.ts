import { expect, test } from 'vitest'
import { ConversationId, DeviceId, isNackOf, readNack, signNack } from './index.ts'

const conversation = ConversationId.parse('A'.repeat(22))
const device = DeviceId.parse('B'.repeat(21) + 'A')
const nack = { conversation, device, clientSeq: 3, commit: 7, hash: new Uint8Array(32).fill(9) }

async function signer() {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new Error('a pair was asked for')
  return {
    key: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
    sign: async (message: Uint8Array) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, new Uint8Array(message))),
  }
}

test('a NACK says what was signed, and holds under the key that signed it and no other', async () => {
  const [own, other] = [await signer(), await signer()]
  const bytes = await signNack(nack, own.sign)
  expect(readNack(bytes)).toEqual(nack)
  expect(await isNackOf(bytes, own.key)).toBe(true)
  expect(await isNackOf(bytes, other.key)).toBe(false)
  expect(bytes.length).toBeLessThan(256)
})

test('a NACK in which one bit was changed is not that of its signer, and one that is not canonical is none', async () => {
  const own = await signer()
  const bytes = await signNack(nack, own.sign)
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
    expect(await isNackOf(changed, own.key), `byte ${at}`).toBe(false)
  }
  for (const junk of [new Uint8Array(), bytes.subarray(1), new Uint8Array([...bytes, 0])]) expect(readNack(junk)).toBeUndefined()
})
