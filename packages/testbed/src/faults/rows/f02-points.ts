/** F-02: the server dies at each named point of an append, a cursor and a commit; what was in doubt resolves to exactly one entry. */
import { replacingProcess } from '../../hooks/replacements.ts'
import { deathPoints, dyingAt, type DeathPoint } from '../death-points.ts'
import { killRounds } from './f01-kill.ts'
import type { Row } from '../row.ts'
import { playScene, type Scene } from '../scene.ts'

export const points: Row = {
  id: 'F-02',
  name: 'death at named points, SQLite',
  short: 11,
  alone: true,
  long: 550,
  run: (kills) =>
    killRounds(kills, (count, restarts) => {
      const guests = Math.ceil(count / 2) + 4
      const options = { nodeArguments: replacingProcess([]).nodeArguments, crowd: { devices: 6 + guests } }
      return playScene(options, (scene) => dieAtPoints(scene, count, restarts))
    }),
}

async function dieAtPoints({ server, crowd, recorder }: Scene, kills: number, restarts: number[]): Promise<void> {
  crowd.talk()
  await crowd.acceptedReaches(crowd.accepted + 100)
  await server.kill()
  for (let kill = 0; kill < kills; kill++) {
    const point = deathPoints[kill % deathPoints.length]
    if (!point) break
    const since = recorder.now()
    const accepts = crowd.nextAccept(since)
    await server.restart(dyingAt(point, passings(point)))
    const commits = setInterval(() => crowd.commit(), 100)
    if (point.passed === 'rarely') crowd.addGuest()
    await untilDead(server.ended, point)
    // A server that dies at its first append accepts nothing; the next one does.
    if (crowd.lastAccept > since) restarts.push(await accepts)
    clearInterval(commits)
  }
  await server.restart(dyingAt())
}

const passings = ({ passed }: DeathPoint): number => (passed === 'rarely' ? 1 : 1 + Math.floor(Math.random() * 250))

/** Longer than any point takes to be reached, milliseconds. */
const REACHED_WITHIN = 90_000

async function untilDead(ended: Promise<void>, { name }: DeathPoint): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`nothing came to the point "${name}"`)), REACHED_WITHIN)
  await Promise.race([ended, promise])
  clearTimeout(timer)
}
