import { decodeFromServer, type AccountId } from '@tacit/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { createInProcessBus } from '../bus/in-process.ts'
import { lineOf, newConversation } from '../delivery/rooms.test-support.ts'
import { newAccountId, newDeviceId } from '../identity.test-support.ts'
import { systemClock } from '../clock.ts'
import { OwnLeases, RENEW_EVERY } from './leases.ts'
import { Presence } from './presence.ts'

const someone = (account = newAccountId()) => ({ account, device: newDeviceId() })
const [alice, bob, carol] = [someone(), someone(), someone()]
const conversation = newConversation()

/**
 * Alice and Bob share a conversation, Carol none. Everybody shares their presence, and has said in their conversations how far they are,
 * unless told otherwise.
 */
function town({ hides = [], silent = [] }: { readonly hides?: readonly AccountId[]; readonly silent?: readonly AccountId[] } = {}) {
  const hidden = new Set(hides)
  const quiet = new Set(silent)
  const lines = new Map<AccountId, Set<ReturnType<typeof lineOf>>>()
  const friends = new Map([
    [alice.account, [bob.account]],
    [bob.account, [alice.account]],
  ])
  const presence = new Presence({
    bus: createInProcessBus(() => undefined),
    leases: new OwnLeases(systemClock),
    onFault: (error) => {
      throw error
    },
    sharesPresence: (account) => Promise.resolve(!hidden.has(account)),
    audienceOf: (account) => Promise.resolve(quiet.has(account) ? [] : (friends.get(account) ?? [])),
    heardBy: (account) => Promise.resolve((friends.get(account) ?? []).filter((other) => !quiet.has(other))),
    linesOf: (account) => lines.get(account) ?? [],
  })
  const arrive = async (person: typeof alice) => {
    const line = lineOf(person)
    lines.set(person.account, (lines.get(person.account) ?? new Set()).add(line))
    await presence.arrived(line)
    return line
  }
  const leave = (line: ReturnType<typeof lineOf>, now: number): void => {
    lines.get(line.account)?.delete(line)
    presence.left(line.account, now)
  }
  const share = async (account: AccountId, shares: boolean): Promise<void> => {
    if (shares) hidden.delete(account)
    else hidden.add(account)
    await presence.sharingChanged(account)
  }
  const say = (account: AccountId): void => {
    quiet.delete(account)
    presence.said(account, conversation)
  }
  return { presence, arrive, leave, share, say }
}

const seen = ({ frames }: { frames: readonly Uint8Array[] }) =>
  frames
    .map((frame) => decodeFromServer(frame))
    .map((frame) => (frame.type === 'event' && frame.name === 'signals.presence' ? frame.body : frame))

describe('presence', () => {
  let { presence, arrive, leave, share } = town()
  beforeEach(() => {
    ;({ presence, arrive, leave, share } = town())
  })

  test('tells people who share a conversation of each other, and nobody else', async () => {
    const [hers, carols] = [await arrive(alice), await arrive(carol)]
    const his = await arrive(bob)
    await expect.poll(() => seen(hers)).toEqual([{ account: bob.account, online: true }])
    expect(seen(his)).toEqual([{ account: alice.account, online: true }])
    expect(seen(carols)).toEqual([])
  })

  test('does not flicker when a line is replaced within the lease', async () => {
    const hers = await arrive(alice)
    const his = await arrive(bob)
    await expect.poll(() => seen(hers)).toHaveLength(1)
    leave(his, 1000)
    await arrive(bob)
    presence.sweep(60_000)
    expect(seen(hers)).toHaveLength(1)
  })

  test('ends with the lease when no line is left', async () => {
    const hers = await arrive(alice)
    const his = await arrive(bob)
    leave(his, 1000)
    presence.sweep(10_000)
    await expect.poll(() => seen(hers)).toEqual([{ account: bob.account, online: true }])
    presence.sweep(11_001)
    await expect.poll(() => seen(hers).at(-1)).toEqual({ account: bob.account, online: false })
  })

  test('a second device keeps its person online', async () => {
    const hers = await arrive(alice)
    const [phone] = [await arrive(bob), await arrive(someone(bob.account))]
    leave(phone, 0)
    presence.sweep(60_000)
    await expect.poll(() => seen(hers)).toEqual([{ account: bob.account, online: true }])
  })

  test('is mutual: who hides is not seen and sees nobody', async () => {
    ;({ presence, arrive, leave } = town({ hides: [bob.account] }))
    const hers = await arrive(alice)
    const his = await arrive(bob)
    expect([seen(hers), seen(his)]).toEqual([[], []])
  })

  test('is not shown to whom somebody has said nothing yet, and is from the moment on that they do', async () => {
    const { arrive, say, leave, presence, share } = town({ silent: [bob.account] })
    const hers = await arrive(alice)
    const his = await arrive(bob)
    await share(bob.account, true)
    await expect.poll(() => seen(his)).toContainEqual({ account: alice.account, online: true })
    expect(seen(hers)).toEqual([])
    say(bob.account)
    await expect.poll(() => seen(hers)).toEqual([{ account: bob.account, online: true }])
    say(bob.account)
    leave(his, 1000)
    presence.sweep(11_001)
    await expect.poll(() => seen(hers)).toEqual([true, false].map((online) => ({ account: bob.account, online })))
  })

  test('follows a change of mind at once, in both directions', async () => {
    const hers = await arrive(alice)
    const his = await arrive(bob)
    await share(bob.account, false)
    await expect.poll(() => seen(hers).at(-1)).toEqual({ account: bob.account, online: false })
    expect(seen(his).at(-1)).toEqual({ account: alice.account, online: false })
    await share(bob.account, true)
    await expect.poll(() => seen(hers).at(-1)).toEqual({ account: bob.account, online: true })
    expect(seen(his).at(-1)).toEqual({ account: alice.account, online: true })
  })
})

describe('presence at several servers', () => {
  /** Alice and Bob, each at a server of their own; what one server holds, the other sees until it runs out. */
  function twoServers() {
    const clock = { time: 1_800_000_000_000, now: () => clock.time }
    const bus = createInProcessBus(() => undefined)
    const leases = new OwnLeases(clock)
    const open = (lines: readonly ReturnType<typeof lineOf>[]) =>
      new Presence({
        bus,
        leases,
        onFault: (error) => {
          throw error
        },
        sharesPresence: () => Promise.resolve(true),
        audienceOf: (account) => Promise.resolve([alice.account, bob.account].filter((other) => other !== account)),
        heardBy: (account) => Promise.resolve([alice.account, bob.account].filter((other) => other !== account)),
        linesOf: (account) => lines.filter((line) => line.account === account),
      })
    const [hers, his] = [lineOf(alice), lineOf(bob)]
    return { clock, hers, his, here: open([hers]), there: open([his]) }
  }

  test('is seen from server to server', async () => {
    const { hers, his, here, there } = twoServers()
    await here.arrived(hers)
    await there.arrived(his)
    await expect.poll(() => seen(hers).at(-1)).toEqual({ account: bob.account, online: true })
    expect(seen(his).at(-1)).toEqual({ account: alice.account, online: true })
  })

  test('of people at a server that died ends with their leases, without a word from it', async () => {
    const { clock, hers, his, here, there } = twoServers()
    await here.arrived(hers)
    await there.arrived(his)
    await expect.poll(() => seen(hers).at(-1)).toEqual({ account: bob.account, online: true })
    for (let renewals = 0; renewals < 2; renewals++) here.sweep((clock.time += RENEW_EVERY))
    expect(seen(hers).at(-1)).toEqual({ account: bob.account, online: true })
    here.sweep((clock.time += RENEW_EVERY))
    await expect.poll(() => seen(hers).at(-1)).toEqual({ account: bob.account, online: false })
  })
})
