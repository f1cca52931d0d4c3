/**
 * The mistakes that the tests must be able to find: each the smallest honest change that makes it, as words to replace in a
 * source file, and the shortest run that must fail for it. Whoever changes such a line gives the mutant its new words.
 */
import type { Replacement } from '../hooks/replacements.ts'

/** What has to notice: a test by its file and name, or images of what a power cut leaves. */
export type Catcher =
  | { readonly kind: 'test'; readonly project: 'node' | 'postgres'; readonly file: string; readonly name: string }
  | { readonly kind: 'images'; readonly images: number; readonly messages: number }

export interface Mutant {
  readonly name: string
  readonly changes: readonly Replacement[]
  readonly catcher: Catcher
}

const SERVER = 'packages/server/src'
const SDK = 'packages/sdk/src'
const TESTBED = 'packages/testbed/src'

const test = (file: string, name: string, project: 'node' | 'postgres' = 'node'): Catcher => ({ kind: 'test', project, file, name })

const groupCommit = `${SERVER}/storage/sqlite/group-commit.ts`
const sqliteStore = `${SERVER}/delivery/sqlite.store.ts`
const deliveryTest = `${SERVER}/delivery/delivery.test.ts`
const crashStory = `${TESTBED}/crash.story.test.ts`
const DIES = 'a process that dies at any write loses, doubles and reorders nothing, sending or receiving'

const EARLIER = 'SELECT seq, hash FROM entry WHERE conversation = ?1 AND sender = ?2 AND client_seq = ?3'

export const mutants: readonly Mutant[] = [
  {
    name: 'ack before commit',
    changes: [
      {
        file: groupCommit,
        anchor: '  for (const job of jobs) job.run(transaction)\n',
        text: '  for (const job of jobs) job.run(transaction)\n  for (const job of jobs) job.resolve()\n',
      },
    ],
    catcher: test(`${SERVER}/storage/sqlite/group-commit.test.ts`, 'a commit that fails answers nobody, and nothing of it is there'),
  },
  {
    name: 'ack before fsync',
    changes: [
      { file: `${SERVER}/storage/sqlite/sqlite-database.ts`, anchor: "acceptDataLoss ? 'NORMAL' : 'FULL'", text: "'NORMAL'" },
      { file: `${SERVER}/storage/sqlite/sqlite-database.ts`, anchor: 'acceptDataLoss ? 1 : 2', text: '1' },
    ],
    catcher: { kind: 'images', images: 60, messages: 150 },
  },
  {
    name: 'sequence from identity column without lock',
    changes: [
      {
        file: sqliteStore,
        anchor: '  grow: sqlite.prepare(',
        text: "  identity: sqlite.prepare('SELECT coalesce(max(id), 0) + 1 AS seq FROM entry_row'),\n  grow: sqlite.prepare(",
      },
      {
        file: sqliteStore,
        anchor: '    const { seq } = verdict\n',
        text: "    const seq = Number(this.#statements.identity.get()?.['seq'])\n",
      },
    ],
    catcher: test(deliveryTest, 'numbers the entries of each log by themselves'),
  },
  {
    name: 'dedupe keyed with a 5-minute TTL',
    changes: [
      { file: sqliteStore, anchor: EARLIER, text: `${EARLIER} AND time > ?5` },
      {
        file: sqliteStore,
        anchor: '#answerOf({ conversation, sender, clientSeq }: NewEntry',
        text: '#answerOf({ conversation, sender, clientSeq, time }: NewEntry',
      },
      {
        file: sqliteStore,
        anchor: 'membership?.lastSeq ?? 0)',
        text: 'membership?.lastSeq ?? 0, time - 300_000)',
      },
    ],
    catcher: test(
      `${SERVER}/delivery/retention.test.ts`,
      'D-5: the last entry of a device is answered as before however long ago that was',
    ),
  },
  {
    name: 'dedupe ignoring conversation',
    changes: [
      { file: sqliteStore, anchor: EARLIER, text: 'SELECT seq, hash FROM entry WHERE ?1 IS NOT NULL AND sender = ?2 AND client_seq = ?3' },
    ],
    catcher: test(deliveryTest, 'has a counter of its own in each conversation'),
  },
  {
    name: 'cursor stored before client store',
    changes: [
      {
        file: `${SDK}/inbox/receive.ts`,
        anchor: "      if (end.kind !== 'broken' && reading.state",
        text: "      core.acknowledge(conversation, reading.state.cursor)\n      await new Promise<void>((resolve) => void core.clock.after(100, resolve))\n      if (end.kind !== 'broken' && reading.state",
      },
    ],
    catcher: test(crashStory, 'D-9: the server hears that a device has an entry only when the device has stored it'),
  },
  {
    name: 'doorbell payload used as data',
    changes: [{ file: `${SERVER}/delivery/pages.ts`, anchor: 'end: readableEnd(position) })', text: 'end: request.goal })' }],
    catcher: test(deliveryTest, 'of a device that is removed ends with the commit that removed it, also when no doorbell said so'),
  },
  {
    name: 'resume from cursor+2',
    changes: [
      {
        file: `${SERVER}/delivery/feed.ts`,
        anchor: 'const from = cursors.get(place.conversation) ?? place.cursor',
        text: 'const from = (cursors.get(place.conversation) ?? place.cursor) + 1',
      },
    ],
    catcher: test(deliveryTest, 'goes on from the cursor that the device gives, else from the stored one'),
  },
  {
    name: 're-seal on retry with a new id',
    changes: [
      {
        file: `${SDK}/outbox/transmit.ts`,
        anchor: '    if (error instanceof Refusal) return answerRefusal(core, sealed, error)\n    throw error',
        text: `    if (error instanceof Refusal) return answerRefusal(core, sealed, error)
    await core.conversations.hold(sealed.conversation, ({ state, store }) =>
      store({
        state: state && { ...state, clientSeq: sealed.clientSeq },
        write: async (writer) => {
          await dropSealed(writer, sealed.conversation)
          const id = btoa(String.fromCharCode(...core.random.bytes(16))).replaceAll('+', '-').replaceAll('/', '_').slice(0, 22)
          await writer.run('update outbox set message = ? where message = ?', [id, sealed.message ?? ''])
        },
      }),
    )
    throw error`,
      },
    ],
    catcher: test(`${TESTBED}/offline.story.test.ts`, 'an answer that is lost makes no second message'),
  },
  {
    name: 're-seal without catching up',
    changes: [
      {
        file: `${SDK}/outbox/transmit.ts`,
        anchor: '  await catchUp(core, conversation, server.upTo).catch(',
        text: '  await Promise.resolve().catch(',
      },
    ],
    catcher: test(
      `${TESTBED}/offline.story.test.ts`,
      'a message that meets a new epoch is sealed again after catching up, also when nothing comes by the socket',
    ),
  },
  {
    name: 'MLS state and plaintext in two transactions',
    changes: [
      {
        file: `${SDK}/inbox/reading.ts`,
        anchor: '    await this.#hold.store({ state: this.state, ...(group && { group }), write: (writer) => this.#writeAll(writer) })',
        text: `    await this.#hold.store({
      state: this.state,
      ...(group && { group }),
      write: async (writer) => {
        if (this.#groupDropped) await eraseGroup(writer, this.conversation)
        if (this.#group) await this.#groupChanges.save(writer, this.conversation)
      },
    })
    await this.core.store.transaction((writer) => this.#writeAll(writer))`,
      },
    ],
    catcher: test(crashStory, DIES),
  },
  {
    name: 'state saved after send',
    changes: [
      {
        file: `${SDK}/outbox/seal.ts`,
        anchor: "  const sealed = { ...(await plainSealed(hold, next.sealed)), kind: 'message', message } as const\n",
        text: `  const sealed = { ...(await plainSealed(hold, next.sealed)), kind: 'message', message } as const
  const bytes = new Uint8Array(sealed.bytes)
  await core.wire.send('delivery.send', { conversation, epoch: sealed.epoch, clientSeq, bytes }).catch(() => undefined)
`,
      },
    ],
    catcher: test(crashStory, DIES),
  },
  {
    name: 'epoch check outside the transaction',
    changes: [
      {
        file: `${SERVER}/delivery/postgres.statements.ts`,
        anchor: 'FROM found WHERE epoch = log_epoch AND counter < client_seq',
        text: 'FROM found WHERE counter < client_seq',
      },
    ],
    catcher: test(
      `${SERVER}/delivery/two-servers.postgres.test.ts`,
      'refuse what waited while a commit on the other ended its epoch',
      'postgres',
    ),
  },
  {
    name: 'Welcome outside the transaction',
    changes: [
      {
        file: `${SERVER}/conversations/accept-commit.ts`,
        anchor: 'async function write(tx: Transaction<Tables>, { random }: AcceptCommitDeps,',
        text: 'async function write(tx: Transaction<Tables>, { random, database }: AcceptCommitDeps,',
      },
      {
        file: `${SERVER}/conversations/accept-commit.ts`,
        anchor: 'if (welcomes.length > 0) await store.addWelcomes(tx, welcomes)',
        text: 'if (welcomes.length > 0) void database.write((own) => store.addWelcomes(own, welcomes)).catch(() => undefined)',
      },
    ],
    catcher: test(`${SERVER}/conversations/accept-commit.test.ts`, 'DS2: when the welcome cannot be stored, nothing of the commit is'),
  },
  {
    name: 'key package select-then-delete',
    changes: [
      {
        file: `${SERVER}/keys/keys.ts`,
        anchor: `const taken = await bells.write(async (tx, say) => {
        const claimed = await claim(tx, body)`,
        text: `const claimed = await claim(database.kysely as Transaction<Tables>, body)
      const taken = await bells.write(async (tx, say) => {
        const bytes = claimed.map((one) => one.bytes)
        await tx.deleteFrom('key_package').where('last_resort', '=', 0).where('bytes', 'in', bytes).execute()`,
      },
      {
        file: `${SERVER}/keys/keys.store.ts`,
        anchor: `      .deleteFrom('key_package')
      .where('id', '=',`,
        text: `      .selectFrom('key_package')
      .select(['device', 'bytes'])
      .where('id', '=',`,
      },
      { file: `${SERVER}/keys/keys.store.ts`, anchor: "      .returning(['device', 'bytes'])\n", text: '' },
      { file: `${SERVER}/keys/keys.store.ts`, anchor: '          .forUpdate()\n          .skipLocked(),', text: '' },
    ],
    catcher: test(`${SERVER}/keys/keys.test.ts`, 'five hundred claims at once never get the same one-time package twice', 'postgres'),
  },
  {
    name: 'retention ignores slow cursors',
    changes: [
      {
        file: `${SERVER}/delivery/retention.store.ts`,
        anchor: ".select(({ fn: { min } }) => min('membership.cursor').as('cursor'))",
        text: ".select(({ fn: { max } }) => max('membership.cursor').as('cursor'))",
      },
    ],
    catcher: test(`${SERVER}/delivery/retention.test.ts`, 'waits for the slowest member, but not for one that was removed'),
  },
  {
    name: 'own echo not matched by hash',
    changes: [
      {
        file: `${SDK}/inbox/own-entry.ts`,
        anchor: 'const current = sealed && equalBytes(sealed.hash, hash) ? sealed : undefined',
        text: 'const current = sealed && equalBytes(sealed.hash, sealed.hash) ? sealed : undefined',
      },
    ],
    catcher: test(`${TESTBED}/hostile.story.test.ts`, 'an own entry that was never sealed here does not pass for what was'),
  },
  {
    name: 'skipped keys kept',
    changes: [
      { file: 'packages/mls/src/group/secret-tree.ts', anchor: 'count: wanted.skippedKeys ?? 0,', text: 'count: wanted.skippedKeys ?? 8,' },
    ],
    catcher: test('packages/mls/src/group/wipe.test.ts', 'are neither kept nor used with retention 0, whatever was kept before'),
  },
  {
    name: 'fork comparison off by one',
    changes: [
      {
        file: `${SDK}/inbox/check-seen.ts`,
        anchor: 'const ours = await reading.transcriptAt(seen.seq)',
        text: 'const ours = await reading.transcriptAt(seen.seq - 1)',
      },
    ],
    catcher: test(`${TESTBED}/hostile.story.test.ts`, 'whoever joins begins with the transcript that the inviter vouches for'),
  },
  {
    name: 'fsync error swallowed',
    changes: [
      {
        file: groupCommit,
        anchor: 'if (isDiskFault(error)) this.#options.onDiskFault(error)',
        text: 'if (isDiskFault(error)) for (const job of batch) job.resolve()',
      },
    ],
    catcher: test(`${SERVER}/storage/sqlite/group-commit.test.ts`, 'a commit that fails answers nobody, and nothing of it is there'),
  },
  {
    name: 'accept stale epoch',
    changes: [
      { file: `${SERVER}/delivery/append-rule.ts`, anchor: 'submission.epoch !== log.epoch', text: 'submission.epoch > log.epoch' },
    ],
    catcher: test(deliveryTest, 'of a stale epoch is refused with where the log stands, and consumes nothing'),
  },
  {
    name: 'membership check by cached list',
    changes: [
      {
        file: sqliteStore,
        anchor: 'openSender(rowAs<SenderRow>(row))',
        text: '{ ...openSender(rowAs<SenderRow>(row)), active: isKnownMember(conversation + sender, rowAs<SenderRow>(row)[2] === null) }',
      },
      {
        file: sqliteStore,
        anchor: 'interface OpenLog {',
        text: `const membersKnown = new Set<string>()
const isKnownMember = (key: string, isMember: boolean): boolean => (isMember ? membersKnown.add(key) : membersKnown).has(key)

interface OpenLog {`,
      },
    ],
    catcher: test(deliveryTest, 'of a device that was a member until a moment ago is refused like one of a stranger'),
  },
  {
    name: 'transcript start not bound in Welcome',
    changes: [
      {
        file: `${SDK}/conversations/join-by-welcome.ts`,
        anchor: 'from: readNote(joined.note), upTo: seq',
        text: 'from: { seq: 0, transcript: EMPTY_TRANSCRIPT }, upTo: seq',
      },
    ],
    catcher: test(`${TESTBED}/hostile.story.test.ts`, 'whoever joins begins with the transcript that the inviter vouches for'),
  },
  {
    name: 'clock used for order',
    changes: [{ file: sqliteStore, anchor: 'ORDER BY seq LIMIT ?`', text: 'ORDER BY time, seq LIMIT ?`' }],
    catcher: test(deliveryTest, 'stands where it was accepted, whatever the clock says'),
  },
]
