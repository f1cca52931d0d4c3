/** F-22 and F-24: the store of a real device is damaged while it is closed, or replaced by an older copy of itself. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { platformClock, type ConversationId, type TimelineItem } from '@tacit/sdk'
import { openDevice } from '@tacit/sdk/node'
import { startServerProcess } from '../../server-process.ts'
import { until } from '../../until.ts'
import { Weather } from '../../weather.ts'
import { openWorldDevice, type WorldDevice } from '../../world-device.ts'
import { PASSWORD } from '../../world.ts'
import { hashOf } from '../crowd-bytes.ts'
import { milliseconds, worst, type Outcome, type Row } from '../row.ts'

type Device = Awaited<ReturnType<typeof openDevice>>

interface Home {
  readonly server: string
  readonly bob: WorldDevice
  readonly conversation: ConversationId
  /** Where Alice's device has its store. */
  readonly store: string
  /** Everything that Alice was told is accepted. */
  readonly accepted: string[]
  /** What she sent: hash of the bytes by counter, all her processes together. */
  readonly offered: Map<number, string>
  readonly problems: string[]
}

export const restoredSnapshot: Row = {
  id: 'F-24',
  name: 'a device is given an older copy of its store',
  short: 3,
  long: 200,
  run: (times) =>
    atHome(times, async (home, time) => {
      const copy = `${home.store}.copy`
      await session(home, (alice) => say(home, alice, `before ${time}`))
      copyFileSync(home.store, copy)
      await session(home, async (alice) => {
        for (let more = 0; more <= time % 3; more++) await say(home, alice, `forgotten ${time}.${more}`)
      })
      copyFileSync(copy, home.store)
      await session(home, (alice) => say(home, alice, `after ${time}`))
    }),
}

export const damagedStore: Row = {
  id: 'F-22',
  name: "a device's store is cut off, has wrong bits, or is gone",
  short: 3,
  long: 500,
  run: (times) =>
    atHome(times, async (home, time) => {
      await session(home, (alice) => say(home, alice, `before ${time}`))
      const kind = (['cut off', 'bits', 'gone'] as const)[time % 3] ?? 'gone'
      damage(home.store, kind)
      try {
        await session(home, (alice) => say(home, alice, `still there ${time}`))
      } catch {
        // It said so, or had nobody to speak as: the way on is to sign in again, which is a new device.
        for (const end of ['', '-wal', '-journal']) rmSync(home.store + end, { force: true })
        home.offered.clear()
        const alice = await openDevice({ server: home.server, store: home.store })
        await alice.signIn({ handle: 'alice', password: PASSWORD })
        await alice.close()
        await session(home, (again) => say(home, again, `signed in again ${time}`))
      }
    }),
}

/** Bob, and a conversation with Alice; at the end Bob must have everything once, and nothing that he could not read. */
async function atHome(times: number, play: (home: Home, time: number) => Promise<void>): Promise<Outcome> {
  await using held = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'tacit-home-'))
  held.defer(() => rmSync(folder, { recursive: true, force: true }))
  const running = await startServerProcess({ environment: { TACIT_LOG_LEVEL: 'warn' } })
  held.defer(() => running.dispose())
  const server = running.url
  const bob = held.use(await openWorldDevice({ name: 'bob', server, path: join(folder, 'bob.db'), clock: platformClock }))
  await bob.signUp({ handle: 'bobby', password: PASSWORD })
  const store = join(folder, 'alice.db')
  const alice = await openDevice({ server, store })
  await alice.signUp({ handle: 'alice', password: PASSWORD })
  const conversation = await alice.startDirect({ handle: 'bobby' })
  await bob.conversation('alice')
  await alice.close()
  const home: Home = { server, bob, conversation, store, accepted: [], offered: new Map(), problems: [] }
  const took: number[] = []
  for (let time = 0; time < times; time++) {
    const began = performance.now()
    await play(home, time)
    took.push(performance.now() - began)
  }
  await bobHasEverything(home)
  const violations = home.problems.map((says) => ({ id: says.split(':')[0] ?? 'row', says }))
  return { injections: times, acknowledged: home.accepted.length, violations, figures: [milliseconds('longest way back', worst(took))] }
}

/** Alice's device for as long as `use` takes; her every offer is looked at. */
async function session(home: Home, use: (alice: Device) => Promise<void>): Promise<void> {
  const weather = new Weather()
  weather.loseAnswersTo((command) => {
    if (command.name === 'delivery.send' && command.body.conversation === home.conversation) {
      const { clientSeq, bytes, epoch } = command.body
      const hash = hashOf(bytes)
      const key = epoch * 1_000_000 + clientSeq
      const before = home.offered.get(key)
      if (before !== undefined && before !== hash) home.problems.push(`D-14: other bytes under counter ${clientSeq} of epoch ${epoch}`)
      home.offered.set(key, hash)
    }
    return false
  })
  const alice = await openDevice({ server: home.server, store: home.store, network: weather })
  try {
    await use(alice)
  } finally {
    await alice.close()
  }
}

/** How long a device may take to be itself again, milliseconds. */
const PATIENCE = 30_000

/** Resolves when it is accepted; rejects when the device cannot say it. */
async function say({ conversation, accepted }: Home, alice: Device, text: string): Promise<void> {
  const said = async (): Promise<void> => {
    const list = await until(
      alice.watch('conversations'),
      (now) => now?.some((one) => one.conversation === conversation && one.standing === 'active') ?? false,
    )
    if (!list) throw new Error('no conversations')
    await alice.send({ conversation, text })
    await until(alice.watch('timeline', conversation), (now) => now?.items.some((item) => isAccepted(item, text)) ?? false)
    accepted.push(text)
  }
  await Promise.race([said(), pause(PATIENCE).then(() => Promise.reject(new Error(`"${text}" was not accepted`)))])
}

const isAccepted = (item: TimelineItem, text: string): boolean => item.kind === 'message' && item.text === text && item.seq !== undefined

async function bobHasEverything({ bob, conversation, accepted, problems }: Home): Promise<void> {
  const timeline = bob.watch('timeline', conversation)
  const hasAll = until(timeline, (now) =>
    accepted.every((text) => now?.items.some((item) => item.kind === 'message' && item.text === text)),
  )
  await Promise.race([hasAll, pause(PATIENCE)])
  const items = timeline.get()?.items ?? []
  for (const text of accepted) {
    const times = items.filter((item) => item.kind === 'message' && item.text === text).length
    if (times !== 1) problems.push(`D-5: Bob has "${text}" ${times} times`)
  }
  const unreadable = items.filter((item) => item.kind === 'unreadable').length
  if (unreadable > 0) problems.push(`D-18: Bob could not read ${unreadable}`)
}

function damage(file: string, kind: 'cut off' | 'bits' | 'gone'): void {
  if (kind === 'gone') return rmSync(file)
  const bytes = readFileSync(file)
  if (kind === 'cut off') return truncateSync(file, Math.floor(Math.random() * bytes.length))
  for (let flips = 1 + Math.floor(Math.random() * 50); flips > 0; flips--) {
    const at = Math.floor(Math.random() * bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8))
  }
  writeFileSync(file, bytes)
}
