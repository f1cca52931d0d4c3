import { AccountId } from '@tacit/contract'
import { expect, test } from 'vitest'
import { compareCode, conversationDigits, safetyCode, safetyDigits, type Identity } from './safety-number.ts'

const identity = (letter: string, byte: number): Identity => ({
  account: AccountId.parse(`${letter.repeat(21)}A`),
  accountKey: new Uint8Array(32).fill(byte),
})
const alice = identity('a', 1)
const bob = identity('b', 2)
const mallory = { ...bob, accountKey: new Uint8Array(32).fill(3) }

test('Alice and Bob see the same number, sixty digits in twelve groups', async () => {
  const number = await safetyDigits(alice, bob)
  expect(await safetyDigits(bob, alice)).toEqual(number)
  expect(number).toHaveLength(12)
  for (const group of number) expect(group).toMatch(/^[0-9]{5}$/)
})

test('somebody between them changes the half of the person whose key is not theirs', async () => {
  const [honest, between] = [await safetyDigits(alice, bob), await safetyDigits(alice, mallory)]
  expect(between.slice(0, 6)).toEqual(honest.slice(0, 6))
  expect(between.slice(6)).not.toEqual(honest.slice(6))
})

test("a code is the same only from the other person's device", async () => {
  const shownByBob = await safetyCode({ mine: bob, theirs: alice })
  expect(await compareCode(`  ${shownByBob}\n`, { mine: alice, theirs: bob })).toBe('same')
  expect(await compareCode(shownByBob, { mine: alice, theirs: mallory })).toBe('different')
  expect(await compareCode(await safetyCode({ mine: bob, theirs: mallory }), { mine: alice, theirs: bob })).toBe('different')
  // One's own code proves nothing.
  expect(await compareCode(await safetyCode({ mine: alice, theirs: bob }), { mine: alice, theirs: bob })).toBe('not_a_code')
  for (const rubbish of ['', 'https://example.org', 'tacit-safety:1:AAAA', 'tacit-safety:2:' + shownByBob.slice(15)])
    expect(await compareCode(rubbish, { mine: alice, theirs: bob })).toBe('not_a_code')
})

test('the number of a conversation changes with every epoch', async () => {
  const [one, next] = [await conversationDigits(new Uint8Array(48).fill(1)), await conversationDigits(new Uint8Array(48).fill(2))]
  expect(one).toHaveLength(6)
  expect(next).not.toEqual(one)
})
