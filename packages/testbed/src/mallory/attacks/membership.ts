/** Attacks on who is in a conversation: people and devices that nobody invited. */
import { encodeEvent, encodePolicy, toBase64Url, type ConversationId, type Entry } from '@tacit/contract'
import { bytesIn, doorOf, fieldOf, Ghost } from '../ghost.ts'
import type { ForgeAnswer } from '../../weather.ts'
import { LogLie } from '../log-lie.ts'
import { succeeded, unless, type Outcome, type Row } from '../row.ts'
import { details, isIn, newText, pair, says, type Pair, type Stage, type Victim } from '../stage.ts'

/** Milliseconds in which whoever was deceived would act on it. */
const A_WHILE = 3000

/** Honest people go on as far as they can; the attack worked when the ghost is among them, or reads what they write. */
async function judgeGhost(stage: Stage, ghost: Ghost, { alice, bob, conversation }: Pair): Promise<Outcome> {
  for (const one of [alice, bob]) await one.as((messenger) => messenger.send({ conversation, text: newText() }))
  await stage.pass(A_WHILE)
  const log = await stage.log(conversation)
  const seen: string[] = []
  for (const one of [alice, bob]) {
    const { members } = (await details(one, conversation)) ?? { members: [] }
    seen.push(...members.filter(({ account }) => account !== alice.account && account !== bob.account).map(({ handle }) => handle))
    if (members.some(({ devices }) => devices > 1)) seen.push('a device more')
  }
  return unless([await ghost.reads(log), 'it reads messages'], [seen.length > 0, `members see ${seen.join()}`])
}

/** An entry with a commit that no server of ours would have taken. */
async function commitEntry(
  stage: Stage,
  { conversation, bytes, sender }: { conversation: ConversationId; bytes: Uint8Array; sender: Entry['sender'] },
) {
  const [last] = (await stage.log(conversation)).slice(-1)
  if (!last) throw new Error('an empty log')
  return { ...last, kind: 'commit', sender, clientSeq: last.clientSeq + 1, bytes: new Uint8Array(bytes) } satisfies Entry
}

/** A stranger comes in by external commit, or an own commit in a member's name. */
async function strangerCommits(stage: Stage): Promise<Outcome> {
  const together = await pair(stage)
  const { alice, bob, conversation } = together
  const insider = await stage.person('mallory')
  const ghost = stage.dice.onceIn(2) ? await Ghost.of(insider) : await Ghost.pretending()
  const by = stage.dice.onceIn(2) ? 'door' : 'name'
  const { epoch } = await doorOf(alice, { conversation, url: stage.url })
  const policy = encodePolicy({ kind: 'direct', admins: [alice.account, bob.account] })
  const bytes =
    by === 'door'
      ? await ghost.comesIn(alice, { conversation, url: stage.url })
      : (await ghost.lures(conversation, { epoch, policy, guests: [] })).commit
  const sender = by === 'door' ? ghost.device : alice.device
  const entry = await commitEntry(stage, { conversation, bytes, sender })
  // Whoever asks for the stranger's devices is given its real list, as if they shared a conversation.
  const list = await insider.as(() => insider.weather.ask(`${stage.url}/v1/people/${insider.handle}`))
  const besides: ForgeAnswer = (url, body) =>
    url.includes(`/accounts/${insider.account}/device-list`)
      ? { status: 200, deviceList: fieldOf(list, 'deviceList'), handle: insider.handle }
      : body
  for (const victim of stage.dice.onceIn(2) ? [alice, bob] : [bob]) LogLie.to(victim, conversation, besides).insertBeforeNext(entry)
  return judgeGhost(stage, ghost, together)
}

/** A Welcome into a group of the server's own, under the conversation's id. */
async function welcomeIntoAnother(stage: Stage): Promise<Outcome> {
  const together = await pair(stage)
  const { alice, bob, conversation } = together
  const insider = await stage.person('mallory')
  const ghost = stage.dice.onceIn(2) ? await Ghost.of(insider) : await Ghost.pretending({ account: alice.account })
  // One that lies on the server: the last resort.
  const [given] = await bob.look('select bytes from key_package where last_resort = 1 and published = 1')
  const guest = given?.['bytes']
  if (!(guest instanceof Uint8Array)) throw new Error('no key package')
  const { epoch } = await doorOf(alice, { conversation, url: stage.url })
  const policy = encodePolicy({ kind: 'direct', admins: [alice.account, bob.account] })
  const lure = await ghost.lures(conversation, { epoch: epoch + stage.dice.below(3), policy, guests: [guest] })
  bob.weather.forgeAnswers((url, body) => (url.includes('/tree?') ? { status: 200, ratchetTree: toBase64Url(lure.ratchetTree) } : body))
  const [last] = (await stage.log(conversation)).slice(-1)
  const body = {
    welcome: randomWelcome(stage),
    conversation,
    kind: 'direct',
    seq: (last?.seq ?? 0) + 1,
    epoch: lure.epoch,
    bytes: new Uint8Array(lure.welcome),
  } as const
  bob.as(() => bob.weather.inject(encodeEvent({ name: 'conversations.welcome', body }).slice()))
  return judgeGhost(stage, ghost, together)
}

const randomWelcome = (stage: Stage) =>
  toBase64Url(stage.dice.bytes(16)) as Parameters<typeof encodeEvent<'conversations.welcome'>>[0]['body']['welcome']

const listIn = (value: unknown, name: string): unknown[] => {
  const list = fieldOf(value, name)
  return Array.isArray(list) ? list : []
}

/** A device that Bob never had: its list, its key packages, or itself at the door. */
async function ghostDevice(stage: Stage): Promise<Outcome> {
  const together = await pair(stage)
  const { alice, bob, conversation } = together
  const known = await alice.as(() => alice.weather.ask(`${stage.url}/v1/people/${bob.handle}`))
  // It names itself as the one who signs for Bob, or names Bob's key and signs with its own.
  const accountKey = stage.dice.onceIn(2) ? { accountKey: bytesIn(known, 'accountKey') } : {}
  const ghost = await Ghost.pretending({ account: bob.account, ...accountKey })
  if (stage.dice.onceIn(2)) {
    const bytes = await ghost.comesIn(alice, { conversation, url: stage.url })
    LogLie.to(alice, conversation).insertBeforeNext(await commitEntry(stage, { conversation, bytes, sender: ghost.device }))
    return judgeGhost(stage, ghost, together)
  }
  const real = bytesIn(known, 'deviceList')
  const previous = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(real)))
  const list = toBase64Url(await ghost.deviceList({ version: stage.dice.between(1, 3), previous, others: [] }))
  const keyPackage = await ghost.keyPackage()
  alice.weather.forgeAnswers((url, body) => {
    if (url.includes('/device-list') || url.includes('/people/')) return { ...Object(body), deviceList: list }
    if (!url.endsWith('/key-packages/claim')) return body
    const forged = { device: ghost.device, keyPackage: toBase64Url(keyPackage.keyPackage) }
    return { ...Object(body), keyPackages: [...listIn(body, 'keyPackages'), forged] }
  })
  const body = { account: bob.account, version: 2 }
  alice.as(() => alice.weather.inject(encodeEvent({ name: 'devices.changed', body }).slice()))
  const invited = inviting(alice, keyPackage.ref)
  await alice.as((messenger) => messenger.createGroup({ title: 'new', handles: [bob.handle] })).catch(() => undefined)
  await stage.pass(A_WHILE)
  return invited() ? succeeded('it was invited') : judgeGhost(stage, ghost, together)
}

/** Somebody's key package is another's: of the ghost under another account, or under Bob's with other keys. */
async function otherKeyPackage(stage: Stage): Promise<Outcome> {
  const [alice, bob, insider] = await Promise.all([stage.person('alice'), stage.person('bob'), stage.person('mallory')])
  const known = await alice.as((messenger) => messenger.findPerson({ handle: bob.handle }))
  if (!known) throw new Error('nobody there')
  const ghosts = [
    () => Ghost.of(insider),
    () => Ghost.pretending({ account: bob.account, device: bob.device }),
    () => Ghost.pretending({ device: bob.device }),
  ]
  const ghost = await (stage.dice.pick(ghosts)?.() ?? Ghost.pretending())
  const keyPackage = await ghost.keyPackage()
  alice.weather.forgeAnswers((url, body) =>
    url.endsWith('/key-packages/claim')
      ? { ...Object(body), keyPackages: [{ device: bob.device, keyPackage: toBase64Url(keyPackage.keyPackage) }] }
      : body,
  )
  const invited = inviting(alice, keyPackage.ref)
  const group = stage.dice.onceIn(2)
  await alice
    .as((messenger) =>
      group ? messenger.createGroup({ title: 'new', handles: [bob.handle] }) : messenger.startDirect({ handle: bob.handle }),
    )
    .catch(() => undefined)
  await stage.pass(A_WHILE)
  return unless([invited(), 'it was invited'])
}

/** Whether the device has sent a Welcome for a key package since. */
function inviting(victim: Victim, ref: Uint8Array): () => boolean {
  let invited = false
  victim.weather.pretend((command) => {
    if (command.name === 'conversations.commit' && command.body.welcome)
      invited ||= Buffer.from(command.body.welcome).includes(Buffer.from(ref))
    return undefined
  })
  return () => invited
}

/** A package that has expired, of a suite of lower strength, or one that was used before. */
async function stalePackage(stage: Stage): Promise<Outcome> {
  const [alice, bob, carol] = await Promise.all([stage.person('alice'), stage.person('bob'), stage.person('carol')])
  let used: unknown
  carol.weather.forgeAnswers((url, body) => {
    if (url.endsWith('/key-packages/claim')) used = body
    return body
  })
  const first = await carol.as((messenger) => messenger.startDirect({ handle: bob.handle }))
  await isIn(bob, first)
  alice.weather.forgeAnswers((url, body) => (url.endsWith('/key-packages/claim') && used ? used : body))
  const second = await alice.as((messenger) => messenger.startDirect({ handle: bob.handle })).catch(() => undefined)
  if (!second) return unless()
  await alice.as((messenger) => messenger.send({ conversation: second, text: newText() }))
  await stage.pass(A_WHILE)
  // The only way in is an external commit of its own, with keys that nobody has seen.
  const [place] = await bob.look('select standing, begins from conversation where conversation = ?', second)
  const entrance = (await stage.log(second)).find(({ seq }) => seq === place?.['begins'])
  const isInside = place?.['standing'] === 'active'
  return unless([isInside && entrance?.sender !== bob.device, 'a used package brought somebody in'])
}

const weakerPackage =
  (how: { age?: bigint; suite?: number }) =>
  async (stage: Stage): Promise<Outcome> => {
    const [alice, bob] = await Promise.all([stage.person('alice'), stage.person('bob')])
    // With Bob's own keys: nothing but its age or its suite is wrong.
    const ghost = await Ghost.of(bob)
    const keyPackage = await ghost.keyPackage(how)
    alice.weather.forgeAnswers((url, body) =>
      url.endsWith('/key-packages/claim')
        ? { ...Object(body), keyPackages: [{ device: bob.device, keyPackage: toBase64Url(keyPackage.keyPackage) }] }
        : body,
    )
    const invited = inviting(alice, keyPackage.ref)
    await alice.as((messenger) => messenger.createGroup({ title: 'new', handles: [bob.handle] })).catch(() => undefined)
    await stage.pass(A_WHILE)
    return unless([invited(), 'it was invited with it'])
  }

/** A member who came back is offered an epoch that is over. */
async function oldGroupInfo(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const old = await doorOf(alice, { conversation, url: stage.url })
  await says(bob, conversation, [alice])
  const second = await stage.secondDevice('alice')
  await isIn(second, conversation)
  const lie = LogLie.to(bob, conversation)
  bob.weather.forgeAnswers((url, body) => {
    if (url.endsWith('/group-info')) return { status: 200, epoch: old.epoch, head: 1, groupInfo: toBase64Url(old.groupInfo) }
    return url.includes('/tree?') ? { status: 200, ratchetTree: toBase64Url(old.ratchetTree) } : body
  })
  lie.replaceNext((entry) => ({
    ...entry,
    kind: 'commit',
    bytes: entry.bytes.map((byte, at) => (at === entry.bytes.length - 9 ? byte ^ 1 : byte)),
  }))
  const { encryption } = (await details(bob, conversation)) ?? { encryption: { epoch: 0 } }
  // The one who lies would let him in.
  const asked: number[] = []
  bob.weather.pretend((command) => {
    if (command.name === 'conversations.commit') asked.push(command.body.epoch)
    return undefined
  })
  await alice.as((messenger) => messenger.send({ conversation, text: newText() }))
  await stage.pass(A_WHILE)
  return unless([asked.some((epoch) => epoch < encryption.epoch), 'it knocks at the door of an epoch that is over'])
}

const prevented = { kind: 'prevented' } as const

export const membershipAttacks: readonly Row[] = [
  { id: 'M-01a', attack: 'adds a stranger by a commit of its own', verdict: prevented, play: strangerCommits },
  { id: 'M-01b', attack: 'invites a member into a group of its own', verdict: prevented, play: welcomeIntoAnother },
  { id: 'M-02', attack: 'adds a device to a person', verdict: prevented, play: ghostDevice },
  { id: 'M-03', attack: 'hands out a key package of its own', verdict: prevented, play: otherKeyPackage },
  { id: 'M-04a', attack: 'hands out a key package a second time', verdict: prevented, play: stalePackage },
  { id: 'M-04b', attack: 'hands out a key package that has expired', verdict: prevented, play: weakerPackage({ age: 28n }) },
  { id: 'M-14', attack: 'offers a returning member an epoch that is over', verdict: prevented, play: oldGroupInfo },
  { id: 'M-37', attack: 'hands out a key package of a weaker suite', verdict: prevented, play: weakerPackage({ suite: 1 }) },
]
