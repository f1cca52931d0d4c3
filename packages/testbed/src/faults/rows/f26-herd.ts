/** F-26: everybody comes back at once, with a backlog of a thousand each. */
import { milliseconds, quantile, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

const BACKLOG = 1000
const FIRST_WITHIN = 5000

export const herd: Row = {
  id: 'F-26',
  name: `everybody reconnects with ${BACKLOG} messages to fetch`,
  short: 40,
  long: 200,
  async run(injections) {
    const everybody = Array.from({ length: injections + 1 }, (_, at) => at)
    let firsts: readonly number[] = []
    const end = await playScene(
      { crowd: { devices: everybody.length, conversations: [everybody], pipeline: 64 } },
      async ({ crowd, recorder }) => {
        const [writer, ...readers] = crowd.members
        await Promise.all(readers.map((reader) => reader.stop()))
        writer?.write(BACKLOG)
        await crowd.acceptedReaches(crowd.accepted + BACKLOG)
        const since = recorder.now()
        for (const reader of readers) reader.start()
        firsts = await Promise.all(readers.map(async (reader) => (await reader.firstEntry()) - since))
      },
    )
    const figures = [milliseconds('first message p50', quantile(firsts, 0.5)), milliseconds('p99', quantile(firsts, 0.99), FIRST_WITHIN)]
    return outcomeOf(end, { injections, says: undefined, figures })
  },
}
