/** Attacks on what is said and when: answers, receipts, clocks, poison, kept keys, states that went back. */
import { createHash } from 'node:crypto'
import { encodeAccepted, encodeEvent, type CommandFrame, type ConversationId, type Entry } from '@tacit/contract'
import { Ghost } from '../ghost.ts'
import { LogLie } from '../log-lie.ts'
import { held, succeeded, unless, type Outcome, type Row } from '../row.ts'
import { circle, details, hasText, newText, pair, says, sees, textsAt, timelineOf, writes, type Stage, type Victim } from '../stage.ts'

/** Never gives a commit that removes somebody to anybody, and says that it did; or keeps it back. */
async function withholdRemoval(stage: Stage): Promise<Outcome> {
  const { all, conversation } = await circle(stage, ['bob', 'carol'])
  const [alice, bob, carol] = all
  if (!alice || !bob || !carol) throw new Error('nobody')
  const pretends = stage.dice.onceIn(2)
  const [last] = (await stage.log(conversation)).slice(-1)
  alice.weather.pretend((command) => {
    if (command.name !== 'conversations.commit') return undefined
    if (!pretends) return 'silence'
    const result = { seq: (last?.seq ?? 0) + 1, hash: digest(command.body.commit), epoch: command.body.epoch + 1, duplicate: false }
    return encodeAccepted({ ref: command.ref, name: 'conversations.commit', result }).slice()
  })
  let told = false
  alice
    .as((messenger) => messenger.removePerson({ conversation, account: carol.account }))
    .then(
      () => (told = true),
      () => undefined,
    )
  await stage.pass(3000)
  const { members } = (await details(alice, conversation)) ?? { members: [] }
  const isShown = members.some(({ account }) => account === carol.account)
  const believes = told || !isShown
  return believes || !stage.isVirtual
    ? unless([believes, 'Alice believes that Carol is gone'])
    : alarmAfterAMinute(stage, { alice, conversation })
}

/** Whatever the server does with connections meanwhile; and it goes away with the reason for it. */
async function alarmAfterAMinute(stage: Stage, { alice, conversation }: { alice: Victim; conversation: ConversationId }): Promise<Outcome> {
  const late = async (): Promise<boolean> => (await details(alice, conversation))?.removals.some((removal) => removal.late) ?? false
  const interrupts = stage.dice.onceIn(2)
  const wait = async (seconds: number): Promise<void> => {
    for (let waited = 0; waited < seconds; waited += 5) {
      if (interrupts) alice.as(() => alice.weather.endSockets())
      await stage.pass(5000)
    }
  }
  await wait(30)
  const tooEarly = await late()
  // Half of the time there may have been no connection.
  await wait(90)
  const inTime = await late()
  alice.weather.pretend(() => undefined)
  alice.as(() => alice.weather.endSockets())
  const after = await details(alice, conversation, ({ removals }) => removals.length === 0)
  return unless(
    [tooEarly, 'Alice is alarmed for nothing'],
    [!inTime, 'Alice is not told that the removal has no effect'],
    [after?.members.length !== 2, 'the alarm is over and Carol is not gone'],
  )
}

/** A commit is accepted and kept from one member: what follows it cannot be read there. */
async function withholdFromOne(stage: Stage): Promise<Outcome> {
  const { all, conversation } = await circle(stage, ['bob', 'carol'])
  const [alice, bob] = all
  if (!alice || !bob) throw new Error('nobody')
  LogLie.to(bob, conversation).leaveOutNext()
  await alice.as((messenger) => messenger.removePerson({ conversation, account: all[2]?.account ?? alice.account }))
  const isNoticed = (): boolean => timelineOf(bob, conversation).items.some((item) => item.kind === 'unreadable' || isAlarm(item))
  for (let distance = 1; distance <= 3; distance += 1) {
    await writes(alice, conversation)
    for (let waited = 0; waited < 2000; waited += 100) {
      if (isNoticed()) return { kind: 'detected', distance }
      await stage.pass(100)
    }
  }
  return succeeded('Bob noticed nothing')
}

const isAlarm = (item: ReturnType<typeof timelineOf>['items'][number]): boolean =>
  item.kind === 'notice' && item.notice.kind === 'tampering'

/** Says "accepted" and stores nothing: the sender's screen must not say so, too. */
async function emptyAnswer(stage: Stage): Promise<Outcome> {
  const { alice, conversation } = await pair(stage)
  const [last] = (await stage.log(conversation)).slice(-1)
  alice.weather.pretend((command) => acceptedWithoutLog(command, (last?.seq ?? 0) + 1))
  const text = newText()
  await alice.as((messenger) => messenger.send({ conversation, text }))
  await stage.pass(3000)
  const item = timelineOf(alice, conversation).items.find((one) => one.kind === 'message' && one.text === text)
  return unless([item?.kind !== 'message' || item.state.kind !== 'sending', 'it is not shown as waiting'])
}

function acceptedWithoutLog(command: CommandFrame, seq: number): Uint8Array | undefined {
  if (command.name !== 'delivery.send') return undefined
  return encodeAccepted({
    ref: command.ref,
    name: 'delivery.send',
    result: { seq, hash: digest(command.body.bytes), duplicate: false },
  }).slice()
}

/** Receipts that Bob never gave: made up, or his own of another conversation or position. */
async function fakeReceipts(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const heard: Uint8Array[] = []
  alice.weather.forge((event) => {
    if (event.name !== 'signals.signal') return event
    heard.push(event.body.bytes)
    return undefined
  })
  await bob.as((messenger) => messenger.markRead({ conversation, seq: 2 }))
  await stage.pass(2000)
  bob.as(() => bob.weather.cut())
  const text = await writes(alice, conversation)
  const { encryption } = (await details(alice, conversation)) ?? { encryption: { epoch: 0 } }
  const bytes = [...heard, stage.dice.bytes(stage.dice.between(1, 80))]
  for (const one of bytes) {
    const body = { conversation, sender: bob.device, epoch: encryption.epoch - stage.dice.below(2), kept: true, bytes: new Uint8Array(one) }
    alice.as(() => alice.weather.inject(encodeEvent({ name: 'signals.signal', body }).slice()))
  }
  await stage.pass(1000)
  const item = timelineOf(alice, conversation).items.find((one) => one.kind === 'message' && one.text === text)
  return unless([item?.kind === 'message' && item.state.kind !== 'accepted', 'it is shown as delivered'])
}

/** Times that are years wrong, in both directions: order is by position. */
async function wrongTimes(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const years = (): number => stage.dice.between(-10, 10) * 365 * 86_400_000
  bob.weather.forge((event) => {
    if (event.name !== 'delivery.entries') return event
    const entries = event.body.entries.map((entry) => ({ ...entry, time: Math.max(0, entry.time + years()) }))
    return { ...event, body: { ...event.body, entries } }
  })
  const said: string[] = []
  for (let left = 4; left > 0; left -= 1) said.push(await says(left % 2 === 0 ? alice : bob, conversation, [left % 2 === 0 ? bob : alice]))
  const shown = (one: typeof alice): string => textsAt(one, conversation).slice(-4).join()
  return unless(
    [shown(bob) !== said.join(), 'they are shown in another order'],
    [shown(alice) !== said.join(), 'the others see another order'],
  )
}

/** Entries that nobody can make sense of, of all sizes. */
async function poison(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const [last] = (await stage.log(conversation)).slice(-1)
  if (!last) throw new Error('nothing was said')
  const lie = LogLie.to(bob, conversation)
  const kinds = ['message', 'proposal', 'nack'] as const
  for (let left = stage.dice.between(1, 4); left > 0; left -= 1) {
    const made: Entry = { ...last, kind: stage.dice.pick(kinds) ?? 'message', bytes: poisoned(stage, last.bytes) }
    lie.insertBeforeNext(made)
    await writes(alice, conversation)
  }
  const text = await writes(alice, conversation)
  await sees(bob, conversation, hasText(text))
  const back = await says(bob, conversation, [alice])
  return unless([!textsAt(alice, conversation).includes(back), 'Bob cannot answer'])
}

/** Cut off, longer than allowed, noise, or noise behind a good beginning. */
function poisoned({ dice }: Stage, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  switch (dice.below(5)) {
    case 0:
      return new Uint8Array(bytes.slice(0, dice.between(0, bytes.length - 1)))
    case 1:
      return new Uint8Array([...bytes.slice(0, dice.between(1, 40)), ...dice.bytes(dice.between(1, 65_000))])
    case 2:
      return new Uint8Array([...bytes, ...dice.bytes(dice.between(1, 100))])
    case 3: {
      const at = dice.below(bytes.length)
      return new Uint8Array(bytes.map((byte, place) => (place === at ? byte ^ (1 << dice.below(8)) : byte)))
    }
    default:
      return dice.bytes(dice.between(0, 70_000))
  }
}

/** Everything that is sealed or signed, at every door that takes bytes. */
async function wrongDoors(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const log = await stage.log(conversation)
  const ghost = await Ghost.of(await stage.person('mallory'))
  const [row] = await bob.look('select bytes from key_package limit 1')
  const own = row?.['bytes']
  const things = [...log.map(({ bytes }) => bytes), ghost.identity.credential, own instanceof Uint8Array ? own : new Uint8Array()]
  const before = textsAt(bob, conversation)
  const { epoch } = (await details(bob, conversation))?.encryption ?? { epoch: 0 }
  const [last] = log.slice(-1)
  if (!last) throw new Error('nothing was said')
  const lie = LogLie.to(bob, conversation)
  const tell = (event: Parameters<typeof encodeEvent>[0]): void => bob.as(() => bob.weather.inject(encodeEvent(event).slice()))
  for (const thing of things) {
    const bytes = new Uint8Array(thing)
    tell({
      name: 'signals.signal',
      body: { conversation, sender: alice.device, epoch, kept: stage.dice.onceIn(2), bytes: bytes.slice(0, 256) },
    })
    const welcome = Buffer.from(stage.dice.bytes(16)).toString('base64url') as WelcomeId
    tell({ name: 'conversations.welcome', body: { welcome, conversation, kind: 'direct', seq: last.seq + 1, epoch: epoch + 1, bytes } })
  }
  const other = stage.dice.pick(things) ?? new Uint8Array()
  const kind = stage.dice.pick(['message', 'proposal', 'nack'] as const) ?? 'message'
  lie.insertBeforeNext({ ...last, kind, epoch, bytes: new Uint8Array(other) })
  const text = await says(alice, conversation, [bob])
  const shown = textsAt(bob, conversation)
  const { members } = (await details(bob, conversation)) ?? { members: [] }
  return unless([shown.join() !== [...before, text].join(), 'something else is shown'], [members.length !== 2, 'the members are others'])
}

type WelcomeId = Extract<Parameters<typeof encodeEvent>[0], { name: 'conversations.welcome' }>['body']['welcome']

/** A device whose store went back to an older copy, and a server that gives nothing away. */
async function goBack(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const offered = new Map<number, Set<string>>()
  bob.weather.pretend((command) => {
    if (command.name === 'delivery.send') {
      const { clientSeq, bytes } = command.body
      offered.set(clientSeq, (offered.get(clientSeq) ?? new Set()).add(Buffer.from(digest(bytes)).toString('hex')))
    }
    return undefined
  })
  const putBack = await bob.copyStore()
  for (let left = stage.dice.between(1, 3); left > 0; left -= 1) await says(bob, conversation, [alice])
  await putBack()
  const text = newText()
  await bob.as((messenger) => messenger.send({ conversation, text }))
  await stage.pass(5000)
  const twice = [...offered.values()].some((hashes) => hashes.size > 1)
  return unless([twice, 'it sealed anew under a counter that it had used'])
}

/** One message is kept back while the next ones are given: its key must not wait for it. */
async function keepKeys(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  LogLie.to(bob, conversation).leaveOutNext()
  const withheld = await writes(alice, conversation)
  await says(alice, conversation, [bob])
  const [kept] = (await stage.log(conversation)).slice(-2)
  if (!kept) throw new Error('nothing was said')
  // It comes after all: whoever could read it now could have been robbed of its key meanwhile.
  const lie = LogLie.to(bob, conversation)
  lie.insertBeforeNext(kept)
  await writes(alice, conversation)
  await stage.pass(1000)
  return unless([textsAt(bob, conversation).includes(withheld), 'its key was kept'])
}

/** No service at all: it works, and the person sees it. */
async function denyService(stage: Stage): Promise<Outcome> {
  const { alice } = await pair(stage)
  alice.weather.pretend(() => 'silence')
  alice.weather.forge(() => undefined)
  alice.as(() => alice.weather.endSockets())
  await stage.pass(2000)
  const { kind } = alice.messenger.watch('connection').get()
  return kind === 'online' ? held : { kind: 'detected', distance: 1 }
}

/** A commit that one member cannot process. */
async function spoilCommit(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const { encryption } = (await details(bob, conversation)) ?? { encryption: { epoch: 0 } }
  LogLie.to(bob, conversation).replaceNext((entry) => ({
    ...entry,
    bytes: entry.bytes.map((byte, at) => (at === entry.bytes.length - 9 ? byte ^ 1 : byte)),
  }))
  await stage.secondDevice('alice')
  await sees(bob, conversation, ({ items }) => items.some(({ kind }) => kind === 'unreadable'))
  await details(bob, conversation, ({ standing, encryption: now }) => standing === 'active' && now.epoch >= encryption.epoch + 2)
  await says(alice, conversation, [bob])
  await says(bob, conversation, [alice])
  return { kind: 'detected', distance: 1 }
}

const digest = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(createHash('sha256').update(bytes).digest())

const prevented = { kind: 'prevented' } as const
const next = { kind: 'detected', within: 1 } as const

export const wordAttacks: readonly Row[] = [
  { id: 'M-12a', attack: 'keeps a removal back from everybody', verdict: prevented, play: withholdRemoval },
  { id: 'M-12b', attack: 'keeps a removal back from one member', verdict: next, play: withholdFromOne },
  { id: 'M-16b', attack: 'answers "accepted" and stores nothing', verdict: prevented, play: emptyAnswer },
  { id: 'M-17', attack: 'says that a message was delivered or read', verdict: prevented, play: fakeReceipts },
  { id: 'M-18', attack: 'serves somebody no more', verdict: { kind: 'residual' }, play: denyService },
  { id: 'M-19', attack: 'feeds a commit that one member cannot process', verdict: next, play: spoilCommit },
  { id: 'M-20', attack: 'feeds bytes of one kind to doors of another', verdict: prevented, play: wrongDoors },
  { id: 'M-22', attack: 'poisons the log', verdict: prevented, play: poison },
  { id: 'M-23', attack: 'keeps a message back so that its key is kept', verdict: prevented, play: keepKeys },
  { id: 'M-25', attack: 'lies about time', verdict: prevented, play: wrongTimes },
  { id: 'M-40', attack: 'serves a device whose store went back', verdict: prevented, play: goBack },
]
