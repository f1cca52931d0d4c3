/**
 * Where an attack is played: a real server and real devices behind a server that lies. The same row runs in the simulation
 * (one process, virtual time, everything from the seed) and over real HTTP and WebSockets.
 */
import type { AccountId, ConversationId, DeviceId, Entry } from '@tacit/contract'
import type { ConversationDetails, Live, Messenger, Row as StoredRow, SqlValue, Timeline } from '@tacit/sdk'
import type { MalloryLog } from './key-log.ts'
import type { Dice } from '../sim/dice.ts'
import { until } from '../until.ts'
import type { Weather } from '../weather.ts'
import { noticesOf, textsOf } from '../world-device.ts'

/** A device, and what the server makes of everything that it says and hears. */
export interface Victim {
  readonly handle: string
  readonly account: AccountId
  readonly device: DeviceId
  readonly messenger: Messenger
  readonly weather: Weather
  /** Does something as the program of this device. */
  as<T>(work: (messenger: Messenger) => T): T
  /** What its own database holds; only for judging. */
  look(sql: string, ...values: readonly SqlValue[]): Promise<readonly StoredRow[]>
  /** Writes into its own database behind its program's back: the program of somebody who is up to something. */
  tamper(sql: string, ...values: readonly SqlValue[]): Promise<void>
  /** Copies its store; what it gives back puts the copy in the store's place and starts the device again. */
  copyStore(): Promise<() => Promise<void>>
}

export interface Stage {
  /** What this run does differently from others. */
  readonly dice: Dice
  /** The first device of somebody; the same one when asked again. */
  person(name: Cast): Promise<Victim>
  /** A device that nobody is signed in on. */
  emptyDevice(): Promise<Victim>
  /** A new device of somebody, signed in with the password; caught up with nothing yet. */
  secondDevice(name: Cast): Promise<Victim>
  /** The server's own log, read past everything. */
  log(conversation: ConversationId): Promise<readonly Entry[]>
  /** A second log of device lists with the server's own key, equal to the real one so far. */
  secondKeyLog(): Promise<MalloryLog>
  /** Lets time pass; only as much as a person would wait in the real world. */
  pass(milliseconds: number): Promise<void>
  /** Whether time passes by itself, so that waiting costs nothing. */
  readonly isVirtual: boolean
  /** Origin of the server. */
  readonly url: string
}

/** Who plays. Mallory is the server's account among honest ones: an insider. */
export type Cast = 'alice' | 'bob' | 'carol' | 'mallory'

/** A text that nobody has said yet. */
let texts = 0
export const newText = (): string => `words ${(texts += 1)}`

/** What is watched stays watched: a snapshot that nobody looks at is an old one. */
const watched = new WeakSet<Live<unknown>>()
function kept<T>(live: Live<T>): Live<T> {
  if (!watched.has(live)) live.subscribe(() => undefined)
  watched.add(live)
  return live
}

/** What a conversation looks like now, for somebody who has looked at it before (`sees`). */
export const timelineOf = (victim: Victim, conversation: ConversationId): Timeline =>
  kept(victim.messenger.watch('timeline', conversation)).get() ?? { items: [], hasEarlier: false, typing: [] }

export const textsAt = (victim: Victim, conversation: ConversationId): readonly string[] => textsOf(timelineOf(victim, conversation).items)

export const linesAt = (victim: Victim, conversation: ConversationId): readonly string[] =>
  noticesOf(timelineOf(victim, conversation).items)

/** Waits for what a conversation looks like. */
export const sees = (victim: Victim, conversation: ConversationId, is: (timeline: Timeline) => boolean): Promise<Timeline | undefined> =>
  until(kept(victim.messenger.watch('timeline', conversation)), (now) => now !== undefined && is(now))

export const details = (
  victim: Victim,
  conversation: ConversationId,
  are: (details: ConversationDetails) => boolean = () => true,
): Promise<ConversationDetails | undefined> =>
  until(kept(victim.messenger.watch('details', conversation)), (now) => now !== undefined && are(now))

/** The conversations that somebody is in. */
export const placesOf = async (victim: Victim): Promise<readonly ConversationId[]> => {
  const list = await until(kept(victim.messenger.watch('conversations')), (now) => now !== undefined)
  return (list ?? []).filter(({ standing }) => standing === 'active').map(({ conversation }) => conversation)
}

export const hasText = (text: string) => (timeline: Timeline) => textsOf(timeline.items).includes(text)

/** Waits until a device is in a conversation. */
export const isIn = (victim: Victim, conversation: ConversationId): Promise<unknown> =>
  until(kept(victim.messenger.watch('conversations')), (list) =>
    (list ?? []).some((one) => one.conversation === conversation && one.standing === 'active'),
  )

/** Writes, and waits until the server has accepted it. */
export async function writes(victim: Victim, conversation: ConversationId, text = newText()): Promise<string> {
  await victim.as((messenger) => messenger.send({ conversation, text }))
  await sees(victim, conversation, ({ items }) =>
    items.some((item) => item.kind === 'message' && item.mine && item.text === text && item.seq !== undefined),
  )
  return text
}

/** Writes, and waits until the others have read it. */
export async function says(victim: Victim, conversation: ConversationId, others: readonly Victim[]): Promise<string> {
  const text = await writes(victim, conversation)
  await Promise.all(others.map((other) => sees(other, conversation, hasText(text))))
  return text
}

export interface Pair {
  readonly alice: Victim
  readonly bob: Victim
  readonly conversation: ConversationId
}

/** Alice and Bob, who have written to each other: fresh keys are in, and from here on there are only messages. */
export async function pair(stage: Stage): Promise<Pair> {
  const [alice, bob] = await Promise.all([stage.person('alice'), stage.person('bob')])
  const conversation = await alice.as((messenger) => messenger.startDirect({ handle: bob.handle }))
  await isIn(bob, conversation)
  await says(bob, conversation, [alice])
  await says(alice, conversation, [bob])
  return { alice, bob, conversation }
}

/** A group that Alice founded, in which everybody has written. */
export async function circle(
  stage: Stage,
  others: readonly Cast[],
): Promise<{ readonly all: readonly Victim[]; readonly conversation: ConversationId }> {
  const all = await Promise.all((['alice', ...others] as const).map((name) => stage.person(name)))
  const [alice, ...rest] = all
  if (!alice) throw new Error('nobody')
  const conversation = await alice.as((messenger) => messenger.createGroup({ title: 'circle', handles: rest.map(({ handle }) => handle) }))
  for (const one of rest) {
    await isIn(one, conversation)
    await says(
      one,
      conversation,
      all.filter((other) => other !== one),
    )
  }
  await says(alice, conversation, rest)
  return { all, conversation }
}

/** Waits for what a device is given of what was said before it came, or for its word that something is missing. */
export async function hasHistoryOrWord(stage: Stage, device: Victim, conversation: ConversationId): Promise<boolean> {
  // The one text is what was said since.
  const isThere = (): boolean => textsAt(device, conversation).length > 1 || device.messenger.watch('history').get()?.trouble !== undefined
  for (let waited = 0; waited < 20_000 && !isThere(); waited += 100) await stage.pass(100)
  await stage.pass(1000)
  return isThere()
}

/** More messages than any verdict allows. */
const MOST = 4

/** Milliseconds in which an alarm follows the message that brings it. */
const SOON = 2000

/**
 * Honest messages go on until the victim shows an alarm; with the how many-th it does. `says` says the next one and resolves
 * when the victim shows it, or waits in vain.
 */
export async function distanceToAlarm(
  stage: Stage,
  { victim, conversation, next }: { victim: Victim; conversation: ConversationId; next: () => Promise<unknown> },
): Promise<number> {
  const isAlarmed = (): boolean => linesAt(victim, conversation).includes('tampering')
  for (let distance = isAlarmed() ? 0 : 1; distance <= MOST; distance += 1) {
    if (distance === 0) return 0
    await next()
    for (let waited = 0; waited <= SOON; waited += 100) {
      if (isAlarmed()) return distance
      await stage.pass(100)
    }
  }
  return Number.POSITIVE_INFINITY
}
