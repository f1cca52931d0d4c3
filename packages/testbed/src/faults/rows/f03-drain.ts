/** F-03: the server is stopped (SIGTERM) under load, and started again. */
import { milliseconds, quantile, worst, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

const DRAINS_WITHIN = 10_000

export const drain: Row = {
  id: 'F-03',
  name: 'SIGTERM under load',
  short: 3,
  long: 50,
  async run(injections) {
    const drained: number[] = []
    let wrongCodes = 0
    let errors = 0
    const end = await playScene({}, async ({ server, crowd, recorder }) => {
      crowd.talk()
      for (let stop = 0; stop < injections; stop++) {
        await crowd.acceptedReaches(crowd.accepted + 400)
        const since = recorder.now()
        if ((await server.stop()) !== 0) wrongCodes += 1
        drained.push(recorder.now() - since)
        await server.restart()
        await crowd.nextAccept(recorder.now())
      }
      errors = crowd.errors
    })
    const says = errors + wrongCodes > 0 ? `${errors} errors that people see, ${wrongCodes} exit codes that are not 0` : undefined
    const figures = [milliseconds('drained p50', quantile(drained, 0.5)), milliseconds('max', worst(drained), DRAINS_WITHIN)]
    return outcomeOf(end, { injections, says, figures })
  },
}
