/**
 * F-36, F-37: the heap fills up, and the event loop stands still. The server sends away what is new, says so, loses nothing, and goes
 * on when it is over.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { replacingProcess } from '../../hooks/replacements.ts'
import { milliseconds, worst, type Outcome, type Row } from '../row.ts'
import { outcomeOf, playScene, type SceneOptions } from '../scene.ts'

/** What a server may have of the heap, MiB. */
const HEAP = 256

const STALL = 2000

/** So soon after the beginning of either the server says that it is overloaded, and so soon after its end that it is not, milliseconds. */
const SAYS_WITHIN = 15_000

const CLOCK = 'packages/server/src/clock.ts'
const ELAPSED = 'export const systemElapsed = (): number => performance.now()'

/** At SIGUSR2 somebody keeps what fills the heap to 94 %, and lets it go at the next one. */
const hoarding: SceneOptions = {
  ...replacingProcess([
    {
      file: CLOCK,
      anchor: ELAPSED,
      text: `${ELAPSED}
let hoard: number[][] = []
process.on('SIGUSR2', () => {
  const isFull = hoard.length > 0
  hoard = []
  while (!isFull && systemHeapUse() < 0.94) hoard.push(Array.from({ length: 20_000 }, Math.random))
})`,
    },
  ]),
}

/** At SIGUSR2 the loop stands still; who was asked too often is counted and written to the log. */
const stalling: SceneOptions = {
  ...replacingProcess([
    {
      file: CLOCK,
      anchor: ELAPSED,
      text: `${ELAPSED}
process.on('SIGUSR2', () => {
  const end = performance.now() + ${STALL}
  while (performance.now() < end);
})`,
    },
    {
      file: 'packages/server/src/loop-lag.ts',
      anchor: '    const now = this.#deps.elapsed()',
      text: `    const now = this.#deps.elapsed()
    Object.assign(globalThis, { beats: Number(Reflect.get(globalThis, 'beats') ?? 0) + 1 })
    if (Reflect.get(globalThis, 'beats') % 10 === 0) process.stderr.write('BEATS ' + now + ' ' + Reflect.get(globalThis, 'beats') + '\\n')`,
    },
  ]),
}

export const heapPressure: Row = {
  id: 'F-36',
  name: `the heap of ${HEAP} MiB fills up`,
  short: 1,
  long: 10,
  run: (injections) =>
    pressed(injections, { ...hoarding, nodeArguments: [...(hoarding.nodeArguments ?? []), `--max-old-space-size=${HEAP}`] }),
}

export const stall: Row = {
  id: 'F-37',
  name: `the event loop stands still for ${STALL / 1000} s`,
  short: 2,
  long: 50,
  run: (injections) => pressed(injections, stalling),
}

async function pressed(injections: number, options: SceneOptions): Promise<Outcome> {
  const isHoard = options.environment === hoarding.environment
  const [said, recovered, problems]: [number[], number[], string[]] = [[], [], []]
  const end = await playScene(options, async ({ server, crowd, recorder }) => {
    crowd.talk()
    for (let time = 0; time < injections; time++) {
      await crowd.acceptedReaches(crowd.accepted + 300)
      const began = recorder.now()
      process.kill(server.pid, 'SIGUSR2')
      await readiness(server.url, (reasons) => reasons.includes('the server is overloaded'))
      said.push(recorder.now() - began - (isHoard ? 0 : STALL))
      if (isHoard) {
        // The moment in which it filled up is over: what is said now is said of the heap.
        await pause(3000)
        await readiness(server.url, (reasons) => reasons.includes('the server is overloaded'))
        process.kill(server.pid, 'SIGUSR2')
      }
      const over = recorder.now()
      await readiness(server.url, (reasons) => reasons.length === 0)
      await crowd.nextAccept(over)
      recovered.push(recorder.now() - over)
    }
    if (!isHoard) problems.push(...hurried(await beatsIn(server.logFile)))
  })
  const says = problems.length > 0 ? problems.join('; ') : undefined
  const figures = [milliseconds('said after', worst(said), SAYS_WITHIN), milliseconds('over after', worst(recovered), SAYS_WITHIN)]
  return outcomeOf(end, { injections, says, figures })
}

/** Longer than either lasts, milliseconds. */
const GIVES_UP = 30_000

/** Asks the health check until it says so. */
async function readiness(url: string, is: (reasons: readonly string[]) => boolean): Promise<void> {
  for (const end = performance.now() + GIVES_UP; ; await pause(50)) {
    const { reasons = [] } = (await (await fetch(`${url}/health/ready`)).json()) as { reasons?: string[] }
    if (is(reasons)) return
    if (performance.now() > end) throw new Error(`the health check says only: ${reasons.join(', ') || 'ready'}`)
  }
}

/** When the server's timer of 100 ms had gone off ten more times, as it says itself, milliseconds; enough of them to compare. */
async function beatsIn(logFile: string): Promise<readonly number[]> {
  for (const end = performance.now() + GIVES_UP; ; await pause(100)) {
    const beats = [...readFileSync(logFile, 'utf8').matchAll(/^BEATS (\d+)/gm)].map(([, at]) => Number(at))
    if (beats.length >= 4) return beats
    if (performance.now() > end) throw new Error('the server counts no beats')
  }
}

/** Timers that make up for what they missed, or are there twice. */
function hurried(beats: readonly number[]): string[] {
  const fast = beats.flatMap((at, index) => (index > 0 && at - (beats[index - 1] ?? 0) < 850 ? [at] : []))
  return fast.length > 0 ? [`ten beats of 100 ms in less than 850 ms, ${fast.length} times`] : []
}
