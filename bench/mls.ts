/**
 * CPU time and bytes of the MLS engine by group size: `node -C tacit-source bench/mls.ts [suite] [sizes]`, for example
 * `node -C tacit-source bench/mls.ts 1 2,10,100,1000`. User and system time of the whole process, so WebCrypto threads count.
 */
import { createMlsEngine } from '../packages/mls/src/group/engine.ts'
import type { Group, KeyPackagePair, LeafIdentity, MlsEngine } from '../packages/mls/src/port.ts'

const NOW = 1_800_000_000n
const text = (words: string): Uint8Array => new TextEncoder().encode(words)
const authenticate = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate, judge: authenticate, now: NOW }

/** Runs and prints milliseconds per repetition; `work` may return how many bytes it made. */
const measure = async (name: string, work: () => Promise<number | undefined>, repetitions = 1): Promise<void> => {
  const before = process.cpuUsage()
  let size: number | undefined
  for (let round = 0; round < repetitions; round++) size = await work()
  const { user, system } = process.cpuUsage(before)
  const milliseconds = (user + system) / 1000 / repetitions
  console.log(`  ${name.padEnd(28)} ${milliseconds.toFixed(3).padStart(10)} ms ${size === undefined ? '' : `${size} B`}`)
}

interface Device {
  readonly identity: LeafIdentity
  readonly keyPackage: KeyPackagePair
}

const device = async (engine: MlsEngine, name: string): Promise<Device> => {
  const identity = { credential: text(`certificate of ${name}`), signature: await engine.generateSignaturePair() }
  return { identity, keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }) }
}

const messages = async (engine: MlsEngine, alice: Group, bob: Group): Promise<void> => {
  const payload = new Uint8Array(200)
  const sealed: Uint8Array[] = []
  const rounds = 400
  for (const name of ['(warming up)', 'seal 200 B']) {
    await measure(
      name,
      async () => {
        const made = await engine.seal(alice, payload)
        alice = made.group
        sealed.push(made.sealed)
        return made.sealed.length
      },
      rounds,
    )
  }
  let at = 0
  for (const name of ['(warming up)', 'open 200 B']) {
    await measure(
      name,
      async () => {
        const opened = await engine.open(bob, sealed[at++] ?? payload, hooks)
        bob = opened.group
        return opened.persist.slots.length
      },
      rounds,
    )
  }
}

const run = async (engine: MlsEngine, members: number): Promise<void> => {
  console.log(`${engine.suiteName}, ${members} members`)
  const founder = await device(engine, 'Alice')
  const others: Device[] = []
  await measure('key packages', async () => {
    for (let made = 1; made < members; made++) others.push(await device(engine, `device ${made}`))
    return others[0]?.keyPackage.keyPackage.length
  })
  let { group: alice } = await engine.createGroup({ groupId: text('bench'), identity: founder.identity, policy: text('policy') })
  let welcome: Uint8Array = new Uint8Array()
  await measure('add everybody', async () => {
    const made = await engine.commit(alice, { add: others.map(({ keyPackage }) => keyPackage.keyPackage), authenticate })
    alice = made.next
    welcome = made.welcomes[0]?.bytes ?? welcome
    return made.commit.length
  })
  const [second] = others
  if (!second) return
  const join = () => engine.join({ welcome, keyPackage: second.keyPackage, identity: second.identity, authenticate, now: NOW })
  let bob = (await join()).group
  await measure('join by Welcome', async () => ((bob = (await join()).group), welcome.length))
  const updates: Uint8Array[] = []
  await measure('update, cold tree', async () => {
    const made = await engine.commit(alice, { authenticate })
    alice = made.next
    updates.push(made.commit)
    return made.commit.length
  })
  await measure('process the update', async () => {
    const opened = await engine.open(bob, updates[0] ?? welcome, hooks)
    bob = opened.group
    return opened.persist.slots.length
  })
  await measure('restore a snapshot', async () => {
    const { bytes, slots } = engine.snapshot(bob)
    await engine.restore({ snapshot: bytes, slots, identity: second.identity })
    return bytes.length
  })
  await messages(engine, alice, bob)
}

const [suite = '62586', sizes = '2,10,100,1000'] = process.argv.slice(2)
const engine = await createMlsEngine({ suite: Number(suite) })
for (const size of sizes.split(',')) await run(engine, Number(size))
