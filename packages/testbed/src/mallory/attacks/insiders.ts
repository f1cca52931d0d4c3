/** Attacks with what belongs to others: their history, their last key package, their presence, the ids of their messages. */
import { encodeEvent } from '@tacit/contract'
import { PASSWORD } from '../../world.ts'
import { until } from '../../until.ts'
import { held, succeeded, unless, type Outcome, type Row } from '../row.ts'
import { circle, details, hasHistoryOrWord, isIn, linesAt, newText, pair, says, textsAt, timelineOf, type Stage } from '../stage.ts'

/** Milliseconds in which a device shows what it has heard. */
const A_MOMENT = 2000

/** A new device asks for its person's history, and is given somebody else's. */
async function foreignHistory(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const insider = await stage.person('mallory')
  const place = await insider.as((messenger) => messenger.createGroup({ title: 'planted', handles: [] }))
  const planted = newText()
  await insider.as((messenger) => messenger.send({ conversation: place, text: planted }))
  for (const one of [alice, insider]) {
    await one.as((messenger) => messenger.settle({ within: 20_000 }))
    await until(one.messenger.watch('history'), (history) => history !== undefined && history.waiting === 0)
  }
  const tablet = await stage.emptyDevice()
  const everything = stage.dice.onceIn(2)
  tablet.weather.forgeAnswers(async (url, body) => {
    const isWanted = new URL(url).pathname.startsWith(everything ? '/v1/archive' : '/v1/archive/segments')
    return isWanted ? ((await insider.as(() => insider.weather.ask(url))) ?? body) : body
  })
  await tablet.as((messenger) => messenger.signIn({ handle: alice.handle, password: PASSWORD }))
  await isIn(tablet, conversation)
  await says(bob, conversation, [tablet])
  const isTold = await hasHistoryOrWord(stage, tablet, conversation)
  const titles = (tablet.messenger.watch('conversations').get() ?? []).map(({ title }) => title)
  return unless(
    [titles.includes('planted'), 'somebody else’s conversation is there'],
    [textsAt(tablet, conversation).includes(planted), 'somebody else’s words are there'],
    [!isTold, 'history is missing and nothing says so'],
  )
}

/** Everybody who wants to invite Bob is given his last resort, as if all others had been taken. */
async function onlyLastResort(stage: Stage): Promise<Outcome> {
  const [alice, bob, carol] = await Promise.all([stage.person('alice'), stage.person('bob'), stage.person('carol')])
  const lastResort = async (): Promise<Uint8Array> => {
    const [row] = await bob.look('select bytes from key_package where last_resort = 1 and published = 1 order by made_at desc')
    const bytes = row?.['bytes']
    if (!(bytes instanceof Uint8Array)) throw new Error('no last resort')
    return bytes
  }
  const taken = await lastResort()
  const keyPackage = Buffer.from(taken).toString('base64url')
  for (const one of [alice, carol])
    one.weather.forgeAnswers((url, body) =>
      url.endsWith('/key-packages/claim') && JSON.stringify(body).includes(bob.device)
        ? { ...Object(body), keyPackages: [{ device: bob.device, keyPackage }] }
        : body,
    )
  const both = stage.dice.onceIn(2) ? [alice, carol] : [carol, alice]
  for (const one of both) {
    const conversation = await one.as((messenger) => messenger.startDirect({ handle: bob.handle }))
    await isIn(bob, conversation)
    await says(one, conversation, [bob])
    await says(bob, conversation, [one])
    const renewed = (await details(bob, conversation))?.encryption.renewed
    if (renewed === undefined) return succeeded('the keys of the package everybody has are still in use')
  }
  for (let waited = 0; waited <= 10 * A_MOMENT; waited += 100) {
    if (!(await lastResort()).every((byte, at) => byte === taken[at])) return held
    await stage.pass(100)
  }
  return succeeded('a last resort that was used is not replaced')
}

/** Whoever shares nothing with Alice is told nothing; and nobody is shown a presence that they did not agree to see. */
async function spyPresence(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const [stranger, secret] = [await stage.person('mallory'), await stage.person('carol')]
  const heard: string[] = []
  stranger.weather.forge((event) => {
    if (event.name === 'signals.presence' || event.name === 'signals.signal') heard.push(event.name)
    return event
  })
  for (const one of [alice, bob, stranger]) await one.as((messenger) => messenger.setPresenceSharing({ on: true }))
  await stranger.as((messenger) => messenger.findPerson({ handle: alice.handle }))
  for (const on of [true, false]) {
    await alice.as((messenger) => messenger.setTyping({ conversation, typing: on }))
    await alice.as((messenger) => messenger.setPresenceSharing({ on }))
  }
  alice.as(() => alice.weather.endSockets())
  await says(alice, conversation, [bob])
  // Carol sees nobody, whatever the server tells her: she does not share hers.
  const room = await secret.as((messenger) => messenger.startDirect({ handle: bob.handle }))
  await says(secret, room, [bob])
  const body = { account: bob.account, online: true }
  secret.as(() => secret.weather.inject(encodeEvent({ name: 'signals.presence', body }).slice()))
  const typing = { conversation: room, sender: bob.device, epoch: 1, kept: false, bytes: stage.dice.bytes(64) }
  secret.as(() => secret.weather.inject(encodeEvent({ name: 'signals.signal', body: typing }).slice()))
  await stage.pass(A_MOMENT)
  const shown = (await details(secret, room))?.members.some(({ online }) => online === true) ?? false
  return unless(
    [heard.length > 0, `a stranger hears ${heard.join()}`],
    [shown, 'a presence is shown to somebody who shares none'],
    [timelineOf(secret, room).typing.length > 0, 'somebody types who does not'],
  )
}

/** A member says something under the id of what somebody else has said, so that it would stand in its place. */
async function foreignId(stage: Stage): Promise<Outcome> {
  const { all, conversation } = await circle(stage, ['bob', 'mallory'])
  const [alice, bob, insider] = all
  if (!alice || !bob || !insider) throw new Error('nobody')
  const [victim, other] = stage.dice.onceIn(2) ? [alice, bob] : [bob, alice]
  const words = await says(victim, conversation, [other, insider])
  const [said] = await insider.look("select message from item where text = ? and kind = 'message'", words)
  const [kind, forged] = [stage.dice.pick(['text', 'title']) ?? 'text', newText()]
  const sql = 'insert into outbox (message, conversation, kind, text, time) values (?, ?, ?, ?, 0)'
  await insider.tamper(sql, said?.['message'] ?? null, conversation, kind, forged)
  await says(insider, conversation, [victim, other])
  for (const one of [victim, other]) {
    const texts = textsAt(one, conversation)
    const title = (await details(one, conversation))?.title
    if (!texts.includes(words) || texts.includes(forged) || title === forged) return succeeded('other words stand under its id')
    if (!linesAt(one, conversation).includes('tampering')) return succeeded('nothing is said of it')
  }
  await says(victim, conversation, [other])
  return held
}

const prevented = { kind: 'prevented' } as const

export const insiderAttacks: readonly Row[] = [
  { id: 'M-21', attack: 'gives a new device somebody else’s history', verdict: prevented, play: foreignHistory },
  { id: 'M-26', attack: 'gives everybody the same last key package', verdict: prevented, play: onlyLastResort },
  { id: 'M-30', attack: 'presence and typing where they do not belong', verdict: prevented, play: spyPresence },
  { id: 'M-39', attack: 'a member uses the id of somebody else’s message', verdict: prevented, play: foreignId },
]
