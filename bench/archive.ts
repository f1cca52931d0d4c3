/**
 * The archive at 10,000 and 100,000 messages: `npm run bench:archive [-- counts]`. A real server as a process of its own, real
 * devices in Node with databases on disk. How long a device takes to archive what it has, what a message takes on the server,
 * and, after signing in on an empty device: until a message can be written and is accepted, until the newest history is there,
 * until all of it is. The history is put into the first device's database, because sealing so many messages is another figure.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversationId, Live } from '@tacit/sdk'
import { openDevice, openNodeStore, type NodeDevice } from '@tacit/sdk/node'
import { startServerProcess } from '@tacit/testbed/server-process'

const counts = (process.argv[2] ?? '10000,100000').split(',').map(Number)
const PASSWORD = 'correct horse battery staple'
const CONVERSATIONS = 10
/** Characters of a message: most are short. */
const WORDS = 'see you at the market square at nine then, and bring the cake that was promised to all of us last week '

interface Row {
  readonly messages: number
  readonly archiveSeconds: number
  readonly bytesEach: number
  readonly segments: number
  readonly writableSeconds: number
  readonly newestSeconds: number
  readonly wholeSeconds: number
}

const folder = mkdtempSync(join(tmpdir(), 'tacit-bench-archive-'))
const server = await startServerProcess({ environment: { TACIT_LIMITS_FACTOR: '1000', TACIT_ARCHIVE_MIB: '1024' } })
const rows: Row[] = []
try {
  for (const messages of counts) rows.push(await measure(messages))
} finally {
  await server.dispose()
  rmSync(folder, { recursive: true, force: true })
}
console.table(rows)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/archive.json', `${JSON.stringify({ cpu: cpus()[0]?.model, cores: cpus().length, rows }, null, 2)}\n`)
process.exit(0)

async function measure(messages: number): Promise<Row> {
  const handle = `writer${messages}`
  const store = await openNodeStore({ path: join(folder, `${handle}.db`) })
  const writer = await openDevice({ server: server.url, store })
  await writer.signUp({ handle, password: PASSWORD })
  const conversations: ConversationId[] = []
  for (let at = 0; at < CONVERSATIONS; at++) conversations.push(await writer.createGroup({ title: `Group ${at}`, handles: [] }))
  await until(writer.watch('history'), (history) => history !== undefined)
  await fill(store, { messages, conversations, account: accountOf(writer) })

  const began = performance.now()
  // Something new to archive wakes the duty; what is there already goes first.
  await writer.send({ conversation: conversations[0] ?? nothing(), text: 'now' })
  const archived = await until(
    writer.watch('history'),
    (history) => history !== undefined && history.waiting === 0 && history.messages > messages,
  )
  const archiveSeconds = secondsSince(began)
  const restored = await restore(handle, { messages: archived?.messages ?? 0, conversation: conversations[0] ?? nothing() })
  const segments = (await writer.held()).find(({ table }) => table === 'archive_segment')?.rows ?? 0
  await writer.close()
  return { messages, archiveSeconds, bytesEach: Math.round((archived?.used ?? 0) / messages), segments, ...restored }
}

/** Signs in on an empty device and takes the times from there. */
async function restore(handle: string, expected: { readonly messages: number; readonly conversation: ConversationId }) {
  const device = await openDevice({ server: server.url, store: join(folder, `${handle}-2.db`) })
  const began = performance.now()
  await device.signIn({ handle, password: PASSWORD })
  const { conversation } = expected
  const timeline = device.watch('timeline', conversation)
  const newest = until(timeline, (now) => now?.items.some((item) => item.kind === 'message' && item.text === 'now') ?? false).then(() =>
    secondsSince(began),
  )
  const whole = until(device.watch('history'), (history) => history !== undefined && !history.restoring && history.waiting === 0).then(() =>
    secondsSince(began),
  )
  await until(device.watch('conversations'), (list) => list?.find((one) => one.conversation === conversation)?.standing === 'active')
  await device.send({ conversation, text: 'the first words here' })
  await until(
    timeline,
    (now) => now?.items.some((item) => item.kind === 'message' && item.text.startsWith('the first') && item.seq !== undefined) ?? false,
  )
  const writableSeconds = secondsSince(began)
  const [newestSeconds, wholeSeconds] = await Promise.all([newest, whole])
  const lines = (await device.exportHistory()).conversations.reduce((sum, { items }) => sum + items.length, 0)
  if (lines < expected.messages) throw new Error(`${expected.messages - lines} of ${expected.messages} lines did not come back`)
  await device.close()
  return { writableSeconds, newestSeconds, wholeSeconds }
}

/** History of the last years, spread over the conversations, as receiving stores it. */
async function fill(
  store: Awaited<ReturnType<typeof openNodeStore>>,
  { messages, conversations, account }: { messages: number; conversations: readonly ConversationId[]; account: string },
): Promise<void> {
  const first = Date.now() - messages * 300_000
  await store.transaction(async (transaction) => {
    for (let at = 0; at < messages; at++) {
      const id = Buffer.alloc(16)
      id.writeUInt32BE(at + 1, 4)
      await transaction.run(
        `insert into item (conversation, seq, part, kind, message, account, mine, text, time) values (?, ?, 7, 'message', ?, ?, 1, ?, ?)`,
        [
          conversations[at % conversations.length] ?? '',
          // Before everything that is really in the log.
          at - messages,
          id.toString('base64url'),
          account,
          WORDS.slice(0, 12 + ((at * 37) % (WORDS.length - 12))),
          first + at * 300_000,
        ],
      )
    }
  })
}

function accountOf(device: NodeDevice): string {
  const session = device.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('not signed in')
  return session.me.account
}

function until<T>(live: Live<T>, is: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const look = (): void => {
      const value = live.get()
      if (!is(value)) return
      stop()
      resolve(value)
    }
    const stop = live.subscribe(look)
    look()
  })
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 10) / 100
}

function nothing(): never {
  throw new Error('no conversation')
}
