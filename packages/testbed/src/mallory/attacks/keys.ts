/** Attacks on the log of device lists, and on ids: other keys for other people, a past that was otherwise, one id for another. */
import { createHash } from 'node:crypto'
import { encodeEvent } from '@tacit/contract'
import { succeeded, unless, type Outcome, type Row } from '../row.ts'
import { details, distanceToAlarm, linesAt, newText, pair, placesOf, says, type Stage } from '../stage.ts'

/** An entry about somebody who does not exist. */
const nobody = (stage: Stage) => ({
  label: stage.dice.bytes(32),
  version: 1,
  list: createHash('sha256').update(stage.dice.bytes(32)).digest(),
})

/** Two people are shown two logs of device lists. */
async function splitView(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const [deceived, honest] = stage.dice.onceIn(2) ? [alice, bob] : [bob, alice]
  const second = await stage.secondKeyLog()
  for (let left = stage.dice.between(1, 3); left > 0; left -= 1) second.add(nobody(stage))
  // Somebody whom both look up, in both logs.
  await stage.secondDevice('carol')
  await second.copyTail()
  deceived.weather.forgeAnswers(second.forge)
  for (const one of [deceived, honest]) await one.as((messenger) => messenger.findPerson({ handle: carolOf(one.handle) }))
  const [author, victim] = stage.dice.onceIn(2) ? [deceived, honest] : [honest, deceived]
  const distance = await distanceToAlarm(stage, { victim, conversation, next: () => says(author, conversation, [victim]) })
  return Number.isFinite(distance) ? { kind: 'detected', distance } : succeeded('two logs stood beside each other')
}

/** Carol's handle in this run: handles differ by what follows the name. */
const carolOf = (handle: string): string => `carol${/\d*$/.exec(handle)?.[0] ?? ''}`

/** The log that a device has seen becomes another one. */
async function rewrite(stage: Stage): Promise<Outcome> {
  const { alice, conversation } = await pair(stage)
  const second = await stage.secondKeyLog()
  second.rewrite(nobody(stage))
  alice.weather.forgeAnswers(second.forge)
  alice.as(() => alice.weather.endSockets())
  // One connection.
  for (let waited = 0; waited < 15_000; waited += 100) {
    if (linesAt(alice, conversation).includes('tampering')) return { kind: 'detected', distance: 1 }
    await stage.pass(100)
  }
  return succeeded('the new past was taken')
}

/** Ids of one kind in the place of another, in everything that the server answers about people. */
async function confuse(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const insider = await stage.person('mallory')
  const ids = [alice.account, alice.device, bob.account, bob.device, insider.account, insider.device, conversation]
  const from = stage.dice.pick([bob.account, bob.device]) ?? bob.device
  const to = stage.dice.pick(ids.filter((id) => id !== from)) ?? insider.device
  alice.weather.forgeAnswers((url, body) =>
    /\/(people|accounts|key-packages|conversations)/.test(new URL(url).pathname)
      ? JSON.parse(JSON.stringify(body).replaceAll(from, to))
      : body,
  )
  alice.as(() => alice.weather.inject(encodeEvent({ name: 'devices.changed', body: { account: bob.account, version: 2 } }).slice()))
  await alice.as((messenger) => messenger.createGroup({ title: 'new', handles: [bob.handle] })).catch(() => undefined)
  await alice.as((messenger) => messenger.send({ conversation, text: newText() }))
  await stage.pass(1000)
  const strangers: string[] = []
  for (const place of await placesOf(alice)) {
    const { members } = (await details(alice, place)) ?? { members: [] }
    strangers.push(...members.filter(({ account }) => account !== alice.account && account !== bob.account).map(({ account }) => account))
  }
  const [mine, theirs] = await Promise.all([
    alice.as((messenger) => messenger.safetyNumber({ account: bob.account })),
    bob.as((messenger) => messenger.safetyNumber({ account: alice.account })),
  ])
  return unless(
    [strangers.length > 0, `${strangers.join()} is a member`],
    [mine.digits.join() !== theirs.digits.join(), 'they have other keys of each other'],
  )
}

export const keyAttacks: readonly Row[] = [
  { id: 'M-05', attack: 'shows different device lists to different people', verdict: { kind: 'detected', within: 1 }, play: splitView },
  { id: 'M-06', attack: 'rewrites the log of device lists', verdict: { kind: 'detected', within: 1 }, play: rewrite },
  { id: 'M-07', attack: 'gives an id of one kind for one of another', verdict: { kind: 'prevented' }, play: confuse },
]
