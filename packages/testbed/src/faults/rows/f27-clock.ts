/** F-27: the server's clock jumps three days ahead, three days back, and to where it was. Order does not depend on it. */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { replacingProcess } from '../../hooks/replacements.ts'
import type { Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

const DAYS = 3 * 86_400_000

/** The server's only clock, and a hand at it: each SIGUSR2 moves it on. */
const { environment, nodeArguments } = replacingProcess([
  {
    file: 'packages/server/src/clock.ts',
    anchor: 'export const systemClock: Clock = { now: () => Date.now() }',
    text: `const jumps = [${DAYS}, ${-DAYS}, 0]
let jump = 0
process.on('SIGUSR2', () => (jump += 1))
export const systemClock: Clock = { now: () => Date.now() + (jump === 0 ? 0 : (jumps[(jump - 1) % jumps.length] ?? 0)) }`,
  },
])

export const clockJumps: Row = {
  id: 'F-27',
  name: "the server's clock jumps by 3 days",
  short: 3,
  long: 51,
  async run(injections) {
    let forgotten = 0
    const end = await playScene({ environment, nodeArguments }, async ({ server, crowd }) => {
      // Somebody who is away: what they have not stored must be kept, whatever the clock says.
      const sleeper = crowd.members.at(-1)
      await sleeper?.stop()
      crowd.talk()
      for (let time = 0; time < injections; time++) {
        await crowd.acceptedReaches(crowd.accepted + 500)
        process.kill(server.pid, 'SIGUSR2')
        // Tokens may have ended by now: whoever connects again renews them.
        for (const member of crowd.members) if (member !== sleeper) await member.reconnect()
      }
      await crowd.acceptedReaches(crowd.accepted + 500)
      forgotten = forgottenIn(join(server.dataDir, 'tacit.sqlite'), sleeper?.device.device ?? '')
      sleeper?.start()
    })
    const says = forgotten > 0 ? `${forgotten} entries were forgotten that a member had not stored` : undefined
    return outcomeOf(end, { injections, says, figures: [] })
  },
}

function forgottenIn(file: string, device: string): number {
  const sqlite = new DatabaseSync(file, { readOnly: true })
  const found = sqlite
    .prepare(
      `SELECT count(*) AS n FROM entry JOIN membership ON membership.conversation = entry.conversation AND membership.device = ?
       WHERE entry.bytes IS NULL AND entry.seq > membership.cursor`,
    )
    .get(device)
  sqlite.close()
  return Number(found?.['n'] ?? 0)
}
