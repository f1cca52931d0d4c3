/**
 * Speed and size of the MLS engine beside ts-mls, and again in Chromium. `node -C tacit-source bench/mls.ts [sizes]` prints a
 * table and writes bench/results/mls.json; sizes are group sizes, by default 2,10,100,1000. Under Node a figure is processor
 * time of the whole process, WebCrypto's threads included; in Chromium it is time on the wall. ts-mls runs behind our port,
 * with the checks that it lacks added; its hybrid suite is the X-Wing one with SHA-512.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { createMlsEngine } from '@tacit/mls'
import { createTsMlsEngine } from '@tacit/mls/ts-mls'
import { inChromium } from './in-chromium.ts'
import { againstGoals, type Goal } from './mls-goals.ts'
import type { PageRun } from './mls-page.ts'
import { sizeOfEngine } from './mls-size.ts'
import { runRounds, yardstick, type Effort, type Rounds } from './mls-rounds.ts'

const sizes = (process.argv[2] ?? '2,10,100,1000').split(',').map(Number)
const EFFORT: Effort = { repetitions: 5, messages: 300, floors: true }
/** ts-mls adds a thousand hybrid members in many seconds; once says enough. */
const SHORT: Effort = { repetitions: 1, messages: 100, floors: false }

/** Processor time of this process, all threads. */
const processorTime = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

await main()

async function main(): Promise<void> {
  const rounds: Rounds[] = []
  const before = await yardstick(processorTime)
  for (const { name, engine, effort } of await contenders())
    for (const members of sizes) {
      rounds.push(await runRounds(engine, name, { members, clock: processorTime, effort }))
      print(rounds.at(-1))
    }
  const after = await yardstick(processorTime)
  const bundle = await sizeOfEngine()
  console.log(
    `one Ed25519 verification ${before.toFixed(3)} ms before, ${after.toFixed(3)} ms after; the engine is ${bundle} bytes gzipped`,
  )
  const { suite: hybrid, suiteName: hybridName } = await createMlsEngine()
  const plan = { suites: [hybrid, 1], sizes, effort: EFFORT }
  const browser = await inChromium<PageRun>({ entry: 'bench/mls-page.ts', name: 'benchMls', given: plan })
  browser?.rounds.forEach(print)
  if (browser) console.log(`in Chromium one Ed25519 verification takes ${browser.yardstick.toFixed(3)} ms`)
  const ofHybrid = (all: readonly Rounds[], name: string) => all.filter(({ engine }) => engine === name)
  const goals = [
    ...againstGoals(ofHybrid(rounds, 'ours, hybrid'), { place: 'node', verification: (before + after) / 2 }),
    ...(browser
      ? againstGoals(ofHybrid(browser.rounds, `ours, ${hybridName}`), { place: 'chromium', verification: browser.yardstick })
      : []),
  ]
  goals.forEach(tell)
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`
  const results = {
    machine,
    node: process.version,
    yardstick: { before, after },
    bundle,
    node_cpu: rounds,
    chromium_wall: browser ?? null,
    goals,
  }
  mkdirSync('bench/results', { recursive: true })
  writeFileSync('bench/results/mls.json', `${JSON.stringify(results, undefined, 2)}\n`)
}

async function contenders() {
  return [
    { name: 'ours, hybrid', engine: await createMlsEngine(), effort: EFFORT },
    { name: 'ours, classic', engine: await createMlsEngine({ suite: 1 }), effort: EFFORT },
    { name: 'ts-mls, hybrid', engine: await createTsMlsEngine({ suite: 'hybrid' }), effort: SHORT },
    { name: 'ts-mls, classic', engine: await createTsMlsEngine({ suite: 'classic' }), effort: SHORT },
  ]
}

function tell({ name, place, goal, here, there, met }: Goal): void {
  const said = { here: 'met', there: 'met by the yardstick', no: 'MISSED' }[met]
  console.log(
    `${place.padEnd(9)} ${name.padEnd(15)} goal ${goal}, here ${here.toFixed(3)}, where the goals come from ${there.toFixed(3)} ms: ${said}`,
  )
}

function print(rounds: Rounds | undefined): void {
  if (!rounds) return
  console.log(`${rounds.engine}, ${rounds.members} members`)
  for (const { name, milliseconds, least, most, floor, bytes } of rounds.measured) {
    const spread = `(${least.toFixed(3)} to ${most.toFixed(3)})`
    const rest = [floor === undefined ? '' : `floor ${floor.toFixed(3)}`, bytes === undefined ? '' : `${bytes} B`]
    console.log(`  ${name.padEnd(16)} ${milliseconds.toFixed(3).padStart(10)} ms ${spread.padEnd(26)} ${rest.join('  ')}`)
  }
}
