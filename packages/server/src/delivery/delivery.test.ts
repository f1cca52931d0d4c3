import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { Device, groupOf, messageBody, Talker } from '../gateway/device.test-support.ts'

let town: Town
let [alice, bob, carol]: Member[] = []

beforeAll(async () => {
  town = await openTown()
  ;[alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((handle) => member(town, handle)))
})
afterAll(() => town.close())

const cast = () => {
  if (!alice || !bob || !carol) throw new TypeError('the cast is not there')
  return { alice, bob, carol }
}

describe('a message', () => {
  test('reaches the other person and the sender, byte for byte, at the position that was accepted', async () => {
    const { conversation, talkers } = await groupOf(town, cast().alice, [cast().bob])
    const [hers, his] = talkers
    const body = messageBody({ conversation, epoch: 1, clientSeq: hers.next(conversation) })
    const accepted = await hers.device.expect('delivery.send', body)
    expect(accepted).toMatchObject({ seq: 2, duplicate: false })
    for (const { device } of [hers, ...(his ? [his] : [])]) {
      await device.until(() => device.entries(conversation).at(-1)?.seq === 2)
      expect(device.entries(conversation).at(-1)).toMatchObject({
        seq: 2,
        epoch: 1,
        kind: 'message',
        clientSeq: body.clientSeq,
        bytes: body.bytes,
      })
    }
    await Promise.all(talkers.map(({ device }) => device.close()))
  })
})
