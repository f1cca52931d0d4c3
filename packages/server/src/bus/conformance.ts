/**
 * What every bus must do. Run by the test of each implementation. Who rings and who listens may be two processes; `settled`
 * waits until what was rung has arrived.
 */
import { expect, test } from 'vitest'
import type { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import type { Bus, Notice } from './bus.ts'

export interface BusUnderTest {
  readonly ringing: Pick<Bus, 'ring'>
  readonly listening: Pick<Bus, 'listen'>
  readonly faults: readonly unknown[]
  settled(): Promise<void>
}

const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId
const other = 'AAAAAAAAAAAAAAAAAAAABA' as ConversationId
const device = 'AAAAAAAAAAAAAAAAAAAAAQ' as DeviceId
const account = 'AAAAAAAAAAAAAAAAAAAAAg' as AccountId

export function busConformance(open: () => Promise<BusUnderTest>): void {
  test('a doorbell reaches every listener of its kind, and none after a newer one', async () => {
    const { ringing, listening, settled } = await open()
    const [first, second]: [number[], number[]] = [[], []]
    listening.listen('log', ({ head }) => first.push(head))
    listening.listen('log', ({ head }) => second.push(head))
    for (const head of [1, 2, 3]) ringing.ring({ kind: 'log', conversation, head })
    await settled()
    // Older heads say nothing beside the newest, and may be left out.
    expect(first.at(-1)).toBe(3)
    expect(first).toEqual(first.toSorted((one, another) => one - another))
    expect(second).toEqual(first)
  })

  test('the logs of two conversations do not stand for each other', async () => {
    const { ringing, listening, settled } = await open()
    const heard = new Map<ConversationId, number>()
    listening.listen('log', (notice) => heard.set(notice.conversation, notice.head))
    ringing.ring({ kind: 'log', conversation, head: 7 })
    ringing.ring({ kind: 'log', conversation: other, head: 2 })
    await settled()
    expect(heard).toEqual(
      new Map([
        [conversation, 7],
        [other, 2],
      ]),
    )
  })

  test('a listener hears only the kind it asked for, in the order rung', async () => {
    const { ringing, listening, settled } = await open()
    const heard: Notice[] = []
    listening.listen('turn_given', (notice) => heard.push(notice))
    for (const epoch of [3, 4, 5]) {
      ringing.ring({ kind: 'presence', account, online: true })
      ringing.ring({ kind: 'turn_given', conversation, device, epoch })
    }
    await settled()
    expect(heard).toEqual([3, 4, 5].map((epoch) => ({ kind: 'turn_given', conversation, device, epoch })))
  })

  test('a sealed signal arrives byte for byte', async () => {
    const { ringing, listening, settled } = await open()
    const heard: Notice[] = []
    const signal = { kind: 'signal', conversation, sender: device, epoch: 3, kept: true, bytes: Uint8Array.of(0, 255, 7) } as const
    listening.listen('signal', (notice) => heard.push(notice))
    ringing.ring(signal)
    await settled()
    expect(heard).toEqual([signal])
  })

  test('who stopped listening hears nothing more', async () => {
    const { ringing, listening, settled } = await open()
    const heard: Notice[] = []
    const stop = listening.listen('mailbox', (notice) => heard.push(notice))
    stop()
    ringing.ring({ kind: 'mailbox', device })
    await settled()
    expect(heard).toEqual([])
  })

  test('a listener that throws keeps nobody else from hearing, and the ringer does not notice', async () => {
    const { ringing, listening, faults, settled } = await open()
    const heard: Notice[] = []
    listening.listen('mailbox', () => {
      throw new Error('a broken listener')
    })
    listening.listen('mailbox', (notice) => heard.push(notice))
    ringing.ring({ kind: 'mailbox', device })
    await settled()
    expect(heard).toHaveLength(1)
    expect(faults).toHaveLength(1)
  })
}
