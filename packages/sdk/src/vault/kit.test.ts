import { expect, test } from 'vitest'
import { kitCode, kitFrom, newKitSecret, readKit, wordsOf } from './kit.ts'
import { platformRandom as random } from '../surroundings.ts'

test('a kit is read back from its words, however they are typed, and from its code', async () => {
  const secret = newKitSecret(random)
  const words = await wordsOf(secret)
  expect(words.length).toBe(12)
  expect(await readKit(`  ${words.join(',\n ').toUpperCase()} `)).toEqual(secret)
  expect(await readKit(kitCode({ server: 'https://chat.example.org', handle: 'Alice', words }))).toEqual(secret)
})

test('a word that no kit has is named, and a known one in the wrong place is noticed', async () => {
  const words = [...(await wordsOf(new Uint8Array(16).fill(7)))]
  const changed = (at: number, word: string) => words.with(at, word).join(' ')
  await expect(readKit(changed(3, 'heron'))).rejects.toMatchObject({
    failure: 'kit_word_unknown',
    message: 'Word 4, “heron”, is not one of a kit.',
  })
  await expect(readKit(changed(3, words[3] === 'abandon' ? 'zoo' : 'abandon'))).rejects.toMatchObject({ failure: 'kit_mistyped' })
  await expect(readKit(words.slice(1).join(' '))).rejects.toMatchObject({ failure: 'kit_incomplete' })
})

test('a kit always gives the same id and keys, and two kits have nothing in common', async () => {
  const [one, again, other] = await Promise.all([1, 1, 2].map((fill) => kitFrom(new Uint8Array(16).fill(fill))))
  expect([again?.id, again?.signIn.publicKey]).toEqual([one?.id, one?.signIn.publicKey])
  expect(other?.id).not.toBe(one?.id)
  expect(other?.signIn.publicKey).not.toEqual(one?.signIn.publicKey)
})
