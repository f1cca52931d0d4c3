/** What every bus must do. Run by the test of each implementation; `settled` waits until what was rung has arrived. */
import { expect, test } from 'vitest'
import type { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import type { Bus, Notice } from './bus.ts'

export interface BusUnderTest {
  readonly bus: Bus
  readonly faults: readonly unknown[]
  settled(): Promise<void>
}

const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId
const device = 'AAAAAAAAAAAAAAAAAAAAAQ' as DeviceId
const account = 'AAAAAAAAAAAAAAAAAAAAAg' as AccountId

export function busConformance(open: () => Promise<BusUnderTest>): void {
  test('a doorbell reaches every listener of its kind, in the order rung', async () => {
    const { bus, settled } = await open()
    const [first, second]: [number[], number[]] = [[], []]
    bus.listen('log', ({ head }) => first.push(head))
    bus.listen('log', ({ head }) => second.push(head))
    for (const head of [1, 2, 3]) bus.ring({ kind: 'log', conversation, head })
    await settled()
    expect([first, second]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test('a listener hears only the kind it asked for', async () => {
    const { bus, settled } = await open()
    const heard: Notice[] = []
    bus.listen('mailbox', (notice) => heard.push(notice))
    bus.ring({ kind: 'presence', account, online: true })
    bus.ring({ kind: 'mailbox', device })
    await settled()
    expect(heard).toEqual([{ kind: 'mailbox', device }])
  })

  test('a sealed signal arrives byte for byte', async () => {
    const { bus, settled } = await open()
    const heard: Notice[] = []
    const signal = { kind: 'signal', conversation, sender: device, epoch: 3, kept: true, bytes: Uint8Array.of(0, 255, 7) } as const
    bus.listen('signal', (notice) => heard.push(notice))
    bus.ring(signal)
    await settled()
    expect(heard).toEqual([signal])
  })

  test('who stopped listening hears nothing more', async () => {
    const { bus, settled } = await open()
    const heard: Notice[] = []
    const stop = bus.listen('mailbox', (notice) => heard.push(notice))
    stop()
    bus.ring({ kind: 'mailbox', device })
    await settled()
    expect(heard).toEqual([])
  })

  test('a listener that throws keeps nobody else from hearing, and the ringer does not notice', async () => {
    const { bus, faults, settled } = await open()
    const heard: Notice[] = []
    bus.listen('mailbox', () => {
      throw new Error('a broken listener')
    })
    bus.listen('mailbox', (notice) => heard.push(notice))
    bus.ring({ kind: 'mailbox', device })
    await settled()
    expect(heard).toHaveLength(1)
    expect(faults).toHaveLength(1)
  })
}
