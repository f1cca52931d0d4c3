/** Attacks by somebody whom nobody has taken up: what they learn by writing, and how much of a screen they get. */
import type { ConversationId } from '@tacit/sdk'
import { until } from '../../until.ts'
import { unless, type Outcome, type Row } from '../row.ts'
import { pair, says, timelineOf, type Stage, type Victim } from '../stage.ts'

/** Longer than receipts and typing wait for each other, milliseconds. */
const A_WHILE = 3000

const brings = (stranger: Victim, handle: string, title: string | undefined): Promise<ConversationId> =>
  stranger.as((messenger) =>
    title === undefined ? messenger.startDirect({ handle }) : messenger.createGroup({ title, handles: [handle] }),
  )

/** Alice is there, shows so to those she talks to, reads what the stranger wrote, and begins to answer: without her word nothing of it is to be seen. */
async function probe(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const stranger = await stage.person('mallory')
  const heard: string[] = []
  stranger.weather.forge((event) => {
    if (event.name === 'signals.signal' || event.name === 'signals.presence') heard.push(event.name)
    return event
  })
  const place = await brings(stranger, alice.handle, stage.dice.onceIn(2) ? 'psst' : undefined)
  await says(stranger, place, [alice])
  for (const one of [stranger, alice]) await one.as((messenger) => messenger.setPresenceSharing({ on: true }))
  const seq = timelineOf(alice, place).items.at(-1)?.seq ?? 0
  await alice.as((messenger) => messenger.markRead({ conversation: place, seq }))
  await alice.as((messenger) => messenger.setTyping({ conversation: place, typing: true }))
  await says(alice, conversation, [bob])
  await stage.pass(A_WHILE)
  const states = timelineOf(stranger, place).items.flatMap((item) => (item.kind === 'message' && item.mine ? [item.state.kind] : []))
  return unless(
    [heard.length > 0, `a stranger hears ${heard.join()}`],
    [states.some((state) => state !== 'accepted'), `a stranger sees that it is ${states.join()}`],
  )
}

/** As many invitations as somebody likes: they take no more of the screen than two, and nothing from those whom Alice knows. */
async function flood(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const stranger = await stage.person('mallory')
  const titles = ['one', 'two', 'three', 'four', undefined].slice(stage.dice.onceIn(2) ? 1 : 0)
  const places: ConversationId[] = []
  for (const title of titles) places.push(await brings(stranger, alice.handle, title))
  // By then all of them have arrived.
  for (const place of places) await says(stranger, place, [alice])
  await says(bob, conversation, [alice])
  const list = await until(alice.messenger.watch('conversations'), (now) => now?.some(({ request }) => request !== undefined) ?? false)
  const requests = (list ?? []).filter(({ request }) => request !== undefined)
  return unless(
    [requests.length > 2, `${requests.length} invitations of one stranger are shown`],
    [(list?.length ?? 0) - requests.length !== 1, 'an invitation stands among her conversations'],
  )
}

const prevented = { kind: 'prevented' } as const

export const strangerAttacks: readonly Row[] = [
  { id: 'M-27', attack: 'a stranger writes to see whether somebody is there', verdict: prevented, play: probe },
  { id: 'M-38', attack: 'a stranger invites again and again', verdict: prevented, play: flood },
]
