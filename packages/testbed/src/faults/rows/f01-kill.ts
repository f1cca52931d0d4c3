/** F-01: the server is killed (SIGKILL) at random times while everybody talks, and started again. */
import { setTimeout as pause } from 'node:timers/promises'
import { milliseconds, quantile, worst, type Outcome, type Row } from '../row.ts'
import { playScene, type Scene } from '../scene.ts'

/** From starting it again to the first acceptance, milliseconds. */
const ACCEPTS_WITHIN = 2000

/** Accepted between two kills, about. */
const BETWEEN = 2400

/** Kills of one server; the next ones begin with a fresh one, so that a long run needs no more memory than a short one. */
const ROUND = 60

export const kill: Row = {
  id: 'F-01',
  name: 'kill -9 at random times, SQLite',
  short: 46,
  alone: true,
  long: 600,
  run: (kills) => killRounds(kills, (count, restarts) => playScene({}, (scene) => killAgain(scene, count, restarts))),
}

/** So many kills, in rounds. */
export async function killRounds(
  kills: number,
  round: (count: number, restarts: number[]) => ReturnType<typeof playScene>,
): Promise<Outcome> {
  const restarts: number[] = []
  const ends: Awaited<ReturnType<typeof playScene>>[] = []
  for (let left = kills; left > 0; left -= ROUND) ends.push(await round(Math.min(left, ROUND), restarts))
  return {
    injections: kills,
    kills,
    acknowledged: ends.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    violations: ends.flatMap(({ violations }) => violations),
    figures: [
      milliseconds('restart to first accept p50', quantile(restarts, 0.5)),
      milliseconds('max', worst(restarts), ACCEPTS_WITHIN),
      milliseconds('all at head after', worst(ends.map(({ settled }) => settled.value)), 30_000),
    ],
  }
}

/** Kills it and starts it again; `restarts` hears how long each took to accept again. */
export async function killAgain({ server, crowd, recorder }: Scene, kills: number, restarts: number[]): Promise<void> {
  crowd.talk()
  const commits = setInterval(() => crowd.commit(), 150)
  const moves = setInterval(() => void crowd.members[Math.floor(Math.random() * crowd.members.length)]?.reconnect(), 700)
  for (let kill = 0; kill < kills; kill++) {
    await crowd.acceptedReaches(crowd.accepted + BETWEEN * (0.5 + Math.random()))
    await pause(Math.random() * 20)
    await server.kill()
    const since = recorder.now()
    await server.restart()
    restarts.push(await crowd.nextAccept(since))
  }
  clearInterval(commits)
  clearInterval(moves)
}
