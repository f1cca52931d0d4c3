/** Attacks on the log: messages left out, moved, repeated, redirected, or shown to some and not to others. */
import { createHash } from 'node:crypto'
import { encodeAccepted, type Entry } from '@tacit/contract'
import { held, succeeded, unless, type Outcome, type Row } from '../row.ts'
import { circle, distanceToAlarm, hasText, pair, says, sees, textsAt, writes, type Stage, type Victim } from '../stage.ts'
import { LogLie } from '../log-lie.ts'

/** Some honest messages first, so that the attack comes at another place in each run. */
async function chat(
  stage: Stage,
  writer: Victim,
  { conversation, others }: { conversation: Parameters<typeof says>[1]; others: readonly Victim[] },
) {
  for (let left = stage.dice.below(3); left > 0; left -= 1) await says(writer, conversation, others)
}

const asOutcome = (distance: number): Outcome =>
  Number.isFinite(distance) ? { kind: 'detected', distance } : succeeded('nobody noticed within 4 messages')

/** Leaves out the next entry of a writer on its way to somebody, everywhere. */
async function leaveOut(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const [writer, victim] = stage.dice.onceIn(2) ? [alice, bob] : [bob, alice]
  await chat(stage, writer, { conversation, others: [victim] })
  const lie = LogLie.to(victim, conversation)
  lie.leaveOutNext()
  const missing = await writes(writer, conversation)
  const distance = await distanceToAlarm(stage, { victim, conversation, next: () => says(writer, conversation, [victim]) })
  return textsAt(victim, conversation).includes(missing) ? succeeded('it was not left out') : asOutcome(distance)
}

/** Says that a message is stored, and gives it to nobody else. */
async function ackWithoutStoring(stage: Stage): Promise<Outcome> {
  const { all, conversation } = await circle(stage, ['bob', 'carol'])
  const [alice, ...others] = all
  if (!alice) throw new Error('nobody')
  for (const other of others) LogLie.to(other, conversation).leaveOutNext()
  await writes(alice, conversation)
  const [victim, ignorant] = others
  if (!victim || !ignorant) throw new Error('nobody')
  if (stage.dice.onceIn(2))
    return asOutcome(await distanceToAlarm(stage, { victim, conversation, next: () => says(alice, conversation, others) }))
  await writesBlindly(ignorant, conversation, alice)
  const next = () => says(ignorant, conversation, [alice])
  return asOutcome(await distanceToAlarm(stage, { victim: alice, conversation, next }))
}

/**
 * Whoever did not get an entry writes as somebody does who has not got it yet: nothing is wrong with that. From their next
 * words on they speak of a later entry at its place, their own.
 */
const writesBlindly = (author: Victim, conversation: Parameters<typeof says>[1], reader: Victim) => says(author, conversation, [reader])

/** Two messages change places. */
async function reorder(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  await chat(stage, alice, { conversation, others: [bob] })
  const lie = LogLie.to(bob, conversation)
  const across = stage.dice.onceIn(2)
  lie.swapNextTwo()
  const first = await writes(alice, conversation)
  // Of two writers, the second had not seen the first: else its own words would say so.
  const second = await writes(across ? bob : alice, conversation)
  await sees(
    bob,
    conversation,
    ({ items }) => items.some((item) => item.kind === 'unreadable') || hasText(second)({ items, hasEarlier: false, typing: [] }),
  )
  const distance = await distanceToAlarm(stage, { victim: bob, conversation, next: () => says(alice, conversation, [bob]) })
  const shown = textsAt(bob, conversation)
  const isUnharmed = shown.indexOf(first) >= 0 && shown.indexOf(first) < shown.indexOf(second) && distance > 1
  return isUnharmed ? held : asOutcome(distance)
}

/** The same ciphertext once more, at a new place. */
async function replay(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const old = stage.dice.onceIn(2)
  const lie = LogLie.to(bob, conversation)
  const text = await says(alice, conversation, [bob])
  const [last] = (await stage.log(conversation)).slice(-1)
  if (!last) throw new Error('nothing was said')
  if (old) await says(alice, conversation, [bob])
  lie.insertBeforeNext(last)
  const after = await says(alice, conversation, [bob])
  const shown = textsAt(bob, conversation)
  return unless(
    [shown.filter((one) => one === text).length !== 1, 'a message is shown twice'],
    [!shown.includes(after), 'the next message is not shown'],
  )
}

/** Two halves of a group are shown different logs. */
async function fork(stage: Stage): Promise<Outcome> {
  const { all, conversation } = await circle(stage, ['bob', 'carol'])
  const [alice, bob, carol] = all
  if (!alice || !bob || !carol) throw new Error('nobody')
  const lie = LogLie.to(carol, conversation)
  const dropped = stage.dice.between(1, 3)
  lie.leaveOutNext(dropped)
  for (let left = dropped; left > 0; left -= 1) await says(left % 2 === 0 ? alice : bob, conversation, [left % 2 === 0 ? bob : alice])
  const crosses = stage.dice.onceIn(2)
  // Words that cross: from the half that saw everything to Carol, or from her to them.
  if (!crosses) await writesBlindly(carol, conversation, alice)
  const victim = crosses ? carol : alice
  const next = () => (crosses ? says(bob, conversation, [carol]) : says(carol, conversation, [alice]))
  return asOutcome(await distanceToAlarm(stage, { victim, conversation, next }))
}

/** Tells two members that their commits of one epoch were accepted. */
async function twoCommits(stage: Stage): Promise<Outcome> {
  const { all, conversation } = await circle(stage, ['bob'])
  const [alice, bob] = all
  if (!alice || !bob) throw new Error('nobody')
  const [carol, insider] = await Promise.all([stage.person('carol'), stage.person('mallory')])
  const [fooled, other] = stage.dice.onceIn(2) ? [alice, bob] : [bob, alice]
  const [last] = (await stage.log(conversation)).slice(-1)
  let isFooled = false
  fooled.weather.pretend((command) => {
    if (command.name !== 'conversations.commit' || isFooled) return undefined
    isFooled = true
    const hash = new Uint8Array(createHash('sha256').update(command.body.commit).digest())
    const result = { seq: (last?.seq ?? 0) + 1, hash, epoch: command.body.epoch + 1, duplicate: false }
    return encodeAccepted({ ref: command.ref, name: 'conversations.commit', result }).slice()
  })
  fooled.as((messenger) => messenger.addPeople({ conversation, handles: [carol.handle] })).catch(() => undefined)
  await stage.pass(500)
  await other.as((messenger) => messenger.addPeople({ conversation, handles: [insider.handle] }))
  await says(other, conversation, [fooled])
  await says(fooled, conversation, [other])
  const numbers = await Promise.all([fooled, other].map((one) => one.as((messenger) => messenger.conversationNumber({ conversation }))))
  return unless([numbers[0]?.join() !== numbers[1]?.join(), 'they are in two groups'])
}

/** A ciphertext of one conversation in another one of the same people. */
async function redirect(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const group = await alice.as((messenger) => messenger.createGroup({ title: 'other', handles: [bob.handle] }))
  await sees(bob, group, () => true)
  await says(alice, group, [bob])
  const text = await says(alice, conversation, [bob])
  const [last] = (await stage.log(conversation)).slice(-1)
  const [own] = (await stage.log(group)).slice(-1)
  if (!last || !own) throw new Error('nothing was said')
  const lie = LogLie.to(bob, group)
  // As it is, or under the header of the other group's messages.
  lie.insertBeforeNext(stage.dice.onceIn(2) ? last : { ...last, epoch: own.epoch, bytes: withHeaderOf(own, last) })
  const after = await says(alice, group, [bob])
  return unless(
    [textsAt(bob, group).includes(text), 'it is shown in the other conversation'],
    [!textsAt(bob, group).includes(after), 'the next message is not shown'],
  )
}

/** PrivateMessage: version and format, then group id (16 bytes), epoch, content type, authenticated data, ciphertexts (RFC 9420 section 6.3). */
const HEADER = 4 + 1 + 16 + 8

const withHeaderOf = (own: Entry, entry: Entry): Uint8Array<ArrayBuffer> =>
  new Uint8Array([...own.bytes.subarray(0, HEADER), ...entry.bytes.subarray(HEADER)])

export const logAttacks: readonly Row[] = [
  { id: 'M-08', attack: 'leaves out one message, delivers later ones', verdict: { kind: 'detected', within: 1 }, play: leaveOut },
  { id: 'M-09', attack: 'lets two messages change places', verdict: { kind: 'detected', within: 1 }, play: reorder },
  { id: 'M-10', attack: 'delivers a ciphertext again at a new place', verdict: { kind: 'prevented' }, play: replay },
  { id: 'M-11', attack: 'shows two halves of a group different logs', verdict: { kind: 'detected', within: 1 }, play: fork },
  { id: 'M-13', attack: 'accepts two commits for one epoch', verdict: { kind: 'prevented' }, play: twoCommits },
  { id: 'M-15', attack: 'delivers a ciphertext in another conversation', verdict: { kind: 'prevented' }, play: redirect },
  {
    id: 'M-16a',
    attack: 'acknowledges a message and gives it to nobody',
    verdict: { kind: 'detected', within: 1 },
    play: ackWithoutStoring,
  },
]
