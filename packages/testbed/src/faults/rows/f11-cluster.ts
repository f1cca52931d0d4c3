/** F-01 with two nodes, F-11, F-12, F-13: a node is killed now and then, Redis is gone, comes back empty, or drops every other doorbell. */
import { setTimeout as pause } from 'node:timers/promises'
import { replacingProcess } from '../../hooks/replacements.ts'
import { playCluster, type ClusterScene } from '../cluster-scene.ts'
import { milliseconds, quantile, worst, type Outcome, type Row } from '../row.ts'
import { outcomeOf } from '../scene.ts'

/** From one device to another without doorbells, milliseconds. */
const POLLED_WITHIN = 3000
const ACCEPTS_WITHIN = 2000

export const nodeKills: Row = {
  id: 'F-01n',
  name: 'two nodes, one of them killed now and then',
  short: 3,
  long: 60,
  async run(kills) {
    const gaps: number[] = []
    let errors = 0
    const end = await playCluster({}, async ({ crowd, nodes, chatFor, recorder }) => {
      await chatFor(1)
      for (let kill = 0; kill < kills; kill++) {
        const node = nodes[kill % nodes.length]
        crowd.measure()
        const chat = chatFor(kills > 10 ? 8 : 4)
        await node?.kill()
        gaps.push(await crowd.nextAccept(recorder.now()))
        await chat
        // What was on its way to the killed node waited longest.
        gaps.push(worst(crowd.acceptTimes))
        await node?.restart()
        await pause(1000)
      }
      errors = crowd.errors
    })
    const says = errors > 0 ? `${errors} errors that people see` : undefined
    const outcome = outcomeOf(end, {
      injections: kills,
      says,
      figures: [milliseconds('longest wait for an acceptance', worst(gaps), ACCEPTS_WITHIN)],
    })
    return { ...outcome, kills }
  },
}

export const redisGone: Row = {
  id: 'F-11',
  name: 'Redis is gone for the whole run',
  short: 1,
  long: 3,
  run: (times) =>
    withTimes(times, {}, async ({ redis, chatFor, crowd }) => {
      await redis.kill()
      await pause(1500)
      crowd.measure()
      await chatFor(6)
    }),
}

export const redisRestarts: Row = {
  id: 'F-12',
  name: 'Redis is killed, comes back empty, is emptied, stands still',
  short: 1,
  long: 33,
  run: (times) =>
    withTimes(times, {}, async ({ redis, chatFor, crowd }) => {
      crowd.measure()
      const chat = chatFor(7)
      await pause(500)
      await redis.kill()
      await pause(500)
      await redis.restart()
      await pause(1000)
      await redis.flush()
      await pause(500)
      redis.freeze()
      await pause(1000)
      redis.thaw()
      await chat
    }),
}

const halfDeaf = replacingProcess([
  {
    file: 'packages/server/src/bus/redis.ts',
    anchor: 'deps.link.listen(this.#channel, (message) => this.#received(message))',
    text: 'deps.link.listen(this.#channel, (message) => { if (Math.random() < 0.5) this.#received(message) })',
  },
])

export const redisDrops: Row = {
  id: 'F-13',
  name: 'every other doorbell is lost',
  short: 1,
  long: 20,
  run: (times) =>
    withTimes(times, halfDeaf, async ({ crowd, chatFor }) => {
      crowd.measure()
      await chatFor(6)
    }),
}

/** The health check takes a node out within this, milliseconds. */
const UNREADY_WITHIN = 10_000

export const nodeApart: Row = {
  id: 'F-17',
  name: 'one of two nodes is cut off from PostgreSQL, then from Redis (F-16)',
  short: 1,
  long: 25,
  async run(times) {
    const unready: number[] = []
    let errors = 0
    const end = await playCluster({}, async ({ secondLinks, nodes, chatFor, crowd, recorder }) => {
      const url = nodes[1]?.url ?? ''
      for (let time = 0; time < times; time++) {
        const chat = chatFor(8)
        secondLinks.database.cut()
        const since = recorder.now()
        while ((await fetch(`${url}/health/ready`)).ok) await pause(50)
        unready.push(recorder.now() - since)
        // The other one goes on.
        await Promise.all(crowd.members.map((member) => member.reconnect()))
        await crowd.nextAccept(recorder.now())
        secondLinks.database.mend()
        while (!(await fetch(`${url}/health/ready`)).ok) await pause(50)
        secondLinks.redis.cut()
        await pause(1500)
        secondLinks.redis.mend()
        await chat
      }
      errors = crowd.errors
    })
    const says = errors > 0 ? `${errors} errors that people see` : undefined
    return outcomeOf(end, { injections: times * 2, says, figures: [milliseconds('unready after', worst(unready), UNREADY_WITHIN)] })
  },
}

/** One run after the other; how long messages took from device to device. */
async function withTimes(
  times: number,
  process: Parameters<typeof playCluster>[0],
  play: (scene: ClusterScene) => Promise<void>,
): Promise<Outcome> {
  const delivered: number[] = []
  const outcomes: Outcome[] = []
  for (let time = 0; time < times; time++) {
    let during: readonly number[] = []
    const end = await playCluster(process, async (scene) => {
      await play(scene)
      await scene.crowd.settle()
      during = scene.crowd.deliveryTimes
    })
    delivered.push(...during)
    outcomes.push(outcomeOf(end, { injections: 1, says: undefined, figures: [] }))
  }
  return {
    injections: times,
    acknowledged: outcomes.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    violations: outcomes.flatMap(({ violations }) => violations),
    figures: [milliseconds('delivered p50', quantile(delivered, 0.5)), milliseconds('p99', quantile(delivered, 0.99), POLLED_WITHIN)],
  }
}
