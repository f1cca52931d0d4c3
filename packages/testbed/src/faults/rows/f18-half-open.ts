/** F-18: the network between everybody and the server swallows everything and tells nobody; later the connections are gone. */
import { setTimeout as pause } from 'node:timers/promises'
import { Link } from '../link.ts'
import { milliseconds, quantile, worst, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

export const halfOpen: Row = {
  id: 'F-18',
  name: 'half-open connections',
  short: 3,
  long: 100,
  async run(injections) {
    const resumed: number[] = []
    let link: Link | undefined
    const address = () => `http://localhost:${link?.port ?? 0}`
    const opened = async (url: string) => (link = await Link.to({ host: '127.0.0.1', port: Number(new URL(url).port) }))
    const end = await playScene({ address, opened }, async ({ crowd, recorder }) => {
      crowd.talk()
      for (let time = 0; time < injections; time++) {
        await crowd.acceptedReaches(crowd.accepted + 300)
        link?.silence()
        await pause(200 + Math.random() * 1000)
        link?.mend()
        resumed.push(await crowd.nextAccept(recorder.now()))
      }
    })
    await link?.close()
    const figures = [milliseconds('mended to first accept p50', quantile(resumed, 0.5)), milliseconds('max', worst(resumed))]
    return outcomeOf(end, { injections, says: undefined, figures })
  },
}
