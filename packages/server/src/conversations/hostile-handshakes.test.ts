/**
 * Commits, proposals and openings that do not hold, by the ids of the threat model's list of bad input (MLS bytes). Each gets
 * a typed refusal and changes nothing; the next honest commit is taken. What stageCommit itself refuses (B-113 to B-115) has
 * its tests in packages/mls.
 */
import { encodePolicy, Refusal, type BodyOf, type ConversationId, type FailureName } from '@tacit/contract'
import { decode, encode, EXTENSION, mlsMessageCodec, readMessage, type MlsMessage, type Sender } from '@tacit/mls/public'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commit, converse, newConversation, openRooms, outcomeOf, type Rooms } from '../delivery/rooms.test-support.ts'
import { newPerson, type Person } from '../identity.test-support.ts'

type CommitBody = BodyOf<'conversations.commit'>

const [alice, bob, carol, ghost] = await Promise.all([newPerson(), newPerson(), newPerson(), newPerson()])
let rooms: Rooms
/** Alice is its admin, Bob and Carol are members; epoch 1. */
let conversation: ConversationId

beforeAll(async () => {
  rooms = await openRooms({ isListed: (device) => device !== ghost.device })
  conversation = await converse(rooms, [alice, bob, carol])
})

afterAll(async () => {
  expect(await commit(rooms, alice, { conversation, clientSeq: 2, removed: [carol] })).toMatchObject({ epoch: 2 })
  await rooms.close()
})

/** Every row that a handshake could touch. */
async function rows(): Promise<unknown> {
  const { kysely } = rooms.database
  const tables = ['log', 'membership', 'entry', 'group_info', 'tree_node', 'waiting_proposal', 'welcome', 'conversation'] as const
  return Promise.all(tables.map((table) => kysely.selectFrom(table).selectAll().execute()))
}

/** Tries it, and looks whether anything came of it. */
async function refusalOf(attempt: () => Promise<unknown>): Promise<string> {
  const before = await rows()
  const outcome = await outcomeOf(attempt())
  expect(await rows()).toEqual(before)
  return outcome
}

const sealed = (
  change: { added?: readonly Person[]; removed?: readonly Person[]; policy?: Uint8Array } = {},
  by = alice,
): Promise<CommitBody> => rooms.seats.seal(by, { conversation, clientSeq: by === alice ? 2 : 1, ...change })

const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

/** A message of MLS, changed. */
function bent<K extends MlsMessage['kind']>(
  bytes: Uint8Array,
  kind: K,
  bend: (message: Extract<MlsMessage, { kind: K }>) => MlsMessage,
): Uint8Array<ArrayBuffer> {
  return owned(encode(mlsMessageCodec, bend(readMessage(bytes, kind))))
}

const withSender = (bytes: Uint8Array, sender: Sender) =>
  bent(bytes, 'public', ({ message }) => {
    const membershipTag = sender.kind === 'member' ? (message.membershipTag ?? new Uint8Array(32)) : undefined
    return { kind: 'public', message: { ...message, framed: { ...message.framed, sender }, membershipTag } }
  })

const flipped = (bytes: Uint8Array, at: number) => owned(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)))

type Case = readonly [id: string, what: string, failure: FailureName, build: () => Promise<CommitBody>, by?: Person]

const cases: readonly Case[] = [
  [
    'B-090',
    'a commit with a byte behind it',
    'malformed',
    async () => onCommit(await sealed(), (bytes) => owned(Buffer.concat([bytes, Buffer.of(0)]))),
  ],
  ['B-095', 'a commit of another version', 'unsupported', async () => onCommit(await sealed(), (bytes) => flipped(bytes, 1))],
  [
    'B-099',
    'the sender is a blank leaf',
    'not_allowed',
    async () => onCommit(await sealed(), (bytes) => withSender(bytes, { kind: 'member', leafIndex: 3 })),
  ],
  [
    'B-099',
    'the sender is no leaf at all',
    'not_allowed',
    async () => onCommit(await sealed(), (bytes) => withSender(bytes, { kind: 'member', leafIndex: 2 ** 32 - 1 })),
  ],
  ['B-099', 'somebody else’s commit, handed in as one’s own', 'not_allowed', async () => ({ ...(await sealed({}, bob)), clientSeq: 2 })],
  [
    'B-101',
    'somebody else’s commit under one’s own leaf',
    'invalid_handshake',
    async () => ({ ...onCommit(await sealed({}, bob), (bytes) => withSender(bytes, { kind: 'member', leafIndex: 0 })), clientSeq: 2 }),
  ],
  [
    'B-116',
    'a commit with another confirmation tag than its GroupInfo',
    'invalid_handshake',
    async () =>
      onCommit(await sealed(), (bytes) =>
        bent(bytes, 'public', ({ message }) => ({
          kind: 'public',
          message: { ...message, auth: { ...message.auth, confirmationTag: new Uint8Array(32) } },
        })),
      ),
  ],
  ['B-118', 'a member removes somebody without the role for it', 'not_allowed', () => sealed({ removed: [carol] }, bob), bob],
  [
    'B-118',
    'a member makes itself an admin',
    'not_allowed',
    () => sealed({ policy: encodePolicy({ kind: 'group', admins: [bob.account] }) }, bob),
    bob,
  ],
  [
    'B-118',
    'an admin makes a direct conversation of a group',
    'not_allowed',
    () => sealed({ policy: encodePolicy({ kind: 'direct', admins: [alice.account] }) }),
  ],
  ['B-118', 'an admin makes the roles unreadable', 'not_allowed', () => sealed({ policy: new Uint8Array([1]) })],
  [
    'B-114',
    'a device is added that is a member already',
    'not_allowed',
    async () => sealed({ added: [await newPerson(bob, { device: bob.device })] }),
  ],
  ['B-119', 'a device is added that is on nobody’s list', 'invalid_credential', () => sealed({ added: [ghost] })],
  [
    'B-119',
    'a device is added whose certificate has ended',
    'invalid_credential',
    async () => sealed({ added: [await newPerson(bob, { notAfter: 1 })] }),
  ],
  [
    'B-119',
    'a device is added with the certificate of another one',
    'invalid_credential',
    async () => {
      const [thief, victim] = [await newPerson(), await newPerson()]
      return sealed({ added: [{ ...thief, identity: { ...thief.identity, credential: victim.identity.credential } }] })
    },
  ],
  ['B-119', 'a device is added whose certificate nobody signed', 'invalid_credential', async () => sealed({ added: [await unsigned()] })],
  [
    'B-120',
    'an outsider frames a commit',
    'malformed',
    async () => onCommit(await sealed(), (bytes) => withSender(bytes, { kind: 'external', senderIndex: 0 })),
  ],
  [
    'B-122',
    'nobody gets the Welcome',
    'invalid_handshake',
    async () => ({ ...(await sealed({ added: [await newPerson()] })), welcome: null }),
  ],
  [
    'B-122',
    'a Welcome that nobody needs',
    'invalid_handshake',
    async () => ({ ...(await sealed()), welcome: (await sealed({ added: [await newPerson()] })).welcome }),
  ],
  [
    'B-122',
    'the Welcome is for somebody else',
    'invalid_handshake',
    async () => ({ ...(await sealed({ added: [await newPerson()] })), welcome: (await sealed({ added: [await newPerson()] })).welcome }),
  ],
  ['B-122', 'the Welcome is for one more', 'invalid_handshake', async () => withSecrets((own, other) => [...own, ...other])],
  ['B-122', 'the Welcome has two entries for one', 'invalid_handshake', async () => withSecrets((own) => [...own, ...own])],
  [
    'B-126',
    'the GroupInfo is of the epoch before',
    'invalid_handshake',
    async () => ({ ...(await sealed()), groupInfo: await currentInfo() }),
  ],
  [
    'B-126',
    'the GroupInfo is of another commit',
    'invalid_handshake',
    async () => ({ ...(await sealed()), groupInfo: (await sealed()).groupInfo }),
  ],
  [
    'B-126',
    'the GroupInfo names another signer',
    'invalid_handshake',
    async () => onInfo(await sealed(), (info) => ({ ...info, signer: 1 })),
  ],
  [
    'B-126',
    'nobody could join by the GroupInfo',
    'invalid_handshake',
    async () => onInfo(await sealed(), (info) => ({ ...info, extensions: [] })),
  ],
  [
    'B-126',
    'the GroupInfo carries a tree',
    'unsupported',
    async () =>
      onInfo(await sealed(), (info) => ({
        ...info,
        extensions: [...info.extensions, { type: EXTENSION.ratchetTree, data: new Uint8Array(9) }],
      })),
  ],
  [
    'B-126',
    'the signature of the GroupInfo is another',
    'invalid_handshake',
    async () => onInfo(await sealed(), (info) => ({ ...info, signature: info.signature.map((byte) => byte ^ 1) })),
  ],
]

type Info = Extract<MlsMessage, { kind: 'group_info' }>['groupInfo']

const onCommit = (body: CommitBody, bend: (bytes: Uint8Array) => Uint8Array<ArrayBuffer>): CommitBody => ({
  ...body,
  commit: bend(body.commit),
})

const onInfo = (body: CommitBody, bend: (info: Info) => Info): CommitBody => ({
  ...body,
  groupInfo: bent(body.groupInfo, 'group_info', ({ groupInfo }) => ({ kind: 'group_info', groupInfo: bend(groupInfo) })),
})

const currentInfo = async () => (await rooms.conversations.groupInfo(alice, conversation)).groupInfo

async function unsigned(): Promise<Person> {
  const person = await newPerson()
  return {
    ...person,
    identity: { ...person.identity, credential: flipped(person.identity.credential, person.identity.credential.length - 1) },
  }
}

type Secrets = Extract<MlsMessage, { kind: 'welcome' }>['welcome']['secrets']

async function withSecrets(choose: (own: Secrets, other: Secrets) => Secrets): Promise<CommitBody> {
  const [body, other] = [await sealed({ added: [await newPerson()] }), await sealed({ added: [await newPerson()] })]
  const secretsIn = (welcome: Uint8Array | null): Secrets => readMessage(welcome ?? new Uint8Array(), 'welcome').welcome.secrets
  const secrets = choose(secretsIn(body.welcome), secretsIn(other.welcome))
  const welcome = bent(body.welcome ?? new Uint8Array(), 'welcome', (message) => ({
    kind: 'welcome',
    welcome: { ...message.welcome, secrets },
  }))
  return { ...body, welcome }
}

describe('a commit is refused, and nothing comes of it', () => {
  for (const [id, what, failure, build, by = alice] of cases) {
    test(`${id}: when ${what}`, async () => {
      const body = await build()
      expect(await refusalOf(() => rooms.conversations.commit(by, body))).toBe(failure)
    })
  }

  test('B-088 B-089: when any part of it is empty, junk, or cut off anywhere', async () => {
    const body = await sealed({ added: [await newPerson()] })
    const before = await rows()
    const typed = new Set(['malformed', 'unsupported', 'invalid_handshake'])
    for (const part of ['commit', 'welcome', 'groupInfo'] as const) {
      const whole = body[part] ?? new Uint8Array()
      const step = Math.max(1, Math.floor(whole.length / 60))
      const cuts = Array.from({ length: Math.ceil(whole.length / step) }, (_, at) => whole.slice(0, at * step))
      for (const bytes of [...cuts, whole.slice(0, -1), owned(Buffer.alloc(5000, 0xff))])
        expect(typed).toContain(await outcomeOf(rooms.conversations.commit(alice, { ...body, [part]: owned(bytes) })))
    }
    expect(await rows()).toEqual(before)
  })

  test('B-101: when one bit of it is another, wherever that is; but for the tag that only members can check', async () => {
    const body = await sealed({ added: [await newPerson()] })
    const before = await rows()
    const tag = 32 + 1
    for (let at = 0; at < body.commit.length - tag; at += 7) {
      const outcome = await outcomeOf(rooms.conversations.commit(alice, { ...body, commit: flipped(body.commit, at) }))
      expect(['malformed', 'unsupported', 'invalid_handshake', 'invalid_credential', 'not_allowed', 'too_large']).toContain(outcome)
    }
    expect(await rows()).toEqual(before)
  })

  test('B-117: when it names a proposal that the server never took', async () => {
    const group = await converse(rooms, [alice, bob])
    const proposal = await rooms.seats.sealProposal(bob, { conversation: group, clientSeq: 1, removes: bob })
    await rooms.delivery.send(bob.device, proposal)
    const tidying = await rooms.seats.seal(alice, { conversation: group, clientSeq: 2 })
    await rooms.database.write((tx) => tx.deleteFrom('waiting_proposal').execute())
    expect(await refusalOf(() => rooms.conversations.commit(alice, tidying))).toBe('invalid_handshake')
  })
})

describe('a proposal', () => {
  const propose = (by: Person, removes: Person) => rooms.seats.sealProposal(by, { conversation, clientSeq: 1, removes })

  test('B-118: to remove somebody else is refused without the role for it', async () => {
    const body = await propose(bob, carol)
    expect(await refusalOf(() => rooms.delivery.send(bob.device, body))).toBe('not_allowed')
  })

  test('B-101: that somebody else signed is refused', async () => {
    const body = await propose(carol, carol)
    expect(await refusalOf(() => rooms.delivery.send(bob.device, body))).toBe('not_allowed')
    const renamed = { ...body, bytes: withSender(body.bytes, { kind: 'member', leafIndex: 1 }) }
    expect(await refusalOf(() => rooms.delivery.send(bob.device, renamed))).toBe('invalid_handshake')
  })

  test('B-120: from outside of the group is refused', async () => {
    const body = await propose(bob, bob)
    for (const sender of [{ kind: 'external', senderIndex: 0 }, { kind: 'new_member_proposal' }] as const) {
      const outside = { ...body, bytes: withSender(body.bytes, sender) }
      expect(await refusalOf(() => rooms.delivery.send(bob.device, outside))).toBe('unsupported')
    }
  })

  test('to leave is taken once, waits for a commit, and is gone with it', async () => {
    const group = await converse(rooms, [alice, bob])
    const leaving = { conversation: group, clientSeq: 1, removes: bob }
    const body = await rooms.seats.sealProposal(bob, leaving)
    expect(await rooms.delivery.send(bob.device, body)).toMatchObject({ seq: 2, duplicate: false })
    expect(await rooms.delivery.send(bob.device, body)).toMatchObject({ seq: 2, duplicate: true })
    expect(await refusalOf(() => rooms.delivery.send(bob.device, { ...body, clientSeq: 2 }))).toBe('invalid_handshake')
    await commit(rooms, alice, { conversation: group, clientSeq: 2 })
    expect((await rooms.ledger.place(group, bob.device))?.toSeq).toBe(3)
    expect(await rooms.database.kysely.selectFrom('waiting_proposal').selectAll().where('conversation', '=', group).execute()).toEqual([])
  })
})

describe('an opening is refused', () => {
  type Creation = Awaited<ReturnType<Rooms['seats']['found']>>
  const openings: readonly (readonly [string, FailureName, () => Promise<Creation>])[] = [
    ['when the group has another id', 'malformed', async () => ({ ...(await opening()), conversation: newConversation() })],
    [
      'when the tree is of another group',
      'invalid_handshake',
      async () => ({ ...(await opening()), ratchetTree: (await opening()).ratchetTree }),
    ],
    [
      'when the only leaf is another device’s',
      'not_allowed',
      async () => rooms.seats.found(await newPerson(alice), { conversation: newConversation() }),
    ],
    ['when its roles are unreadable', 'not_allowed', () => opening({ policy: new Uint8Array([9]) })],
    [
      'when it makes somebody else the admin',
      'not_allowed',
      () => opening({ policy: encodePolicy({ kind: 'group', admins: [bob.account] }) }),
    ],
    [
      'when the group is a direct one and the server is told otherwise',
      'not_allowed',
      () => opening({ policy: encodePolicy({ kind: 'direct', admins: [alice.account, bob.account] }) }),
    ],
    ['when it is no GroupInfo', 'unsupported', async () => ({ ...(await opening()), groupInfo: owned(Buffer.alloc(300, 7)) })],
    ['when there is no tree', 'malformed', async () => ({ ...(await opening()), ratchetTree: new Uint8Array(1) })],
    [
      'when the GroupInfo is of a later epoch',
      'invalid_handshake',
      async () => ({
        ...(await opening()),
        conversation,
        groupInfo: await currentInfo(),
        ratchetTree: (await rooms.conversations.tree(alice, { conversation, epoch: 1 })).ratchetTree,
      }),
    ],
  ]
  const opening = (more: { policy?: Uint8Array } = {}) => rooms.seats.found(alice, { conversation: newConversation(), ...more })

  test.each(openings)('%s', async (_what, failure, build) => {
    const body = await build()
    expect(await refusalOf(() => rooms.conversations.create(alice, body))).toBe(failure)
  })

  test('B-096: when its ciphersuite is none that conversations here have', async () => {
    const strict = await openRooms({ suites: [0xf47a] })
    const body = await strict.seats.found(alice, { conversation: newConversation() })
    await expect(strict.conversations.create(alice, body)).rejects.toEqual(new Refusal('unsupported', { field: 'suite' }))
    await strict.close()
  })
})

test('what these tests bend is sound before they do', async () => {
  const group = await converse(rooms, [alice, bob])
  const body = await rooms.seats.seal(alice, { conversation: group, clientSeq: 2, added: [await newPerson()] })
  expect(decode(mlsMessageCodec, body.commit).kind).toBe('public')
  expect(await outcomeOf(rooms.conversations.commit(alice, body))).toBe('accepted')
})
