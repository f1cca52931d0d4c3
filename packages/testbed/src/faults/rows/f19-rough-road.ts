/** F-19: packets are lost, late by up to two seconds, or go by a thin line; then everything is as before. */
import { Link, type Road } from '../link.ts'
import { milliseconds, quantile, type Figure, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

const MANY = Number.MAX_SAFE_INTEGER

const roads: readonly (Road & { readonly name: string; readonly lasts: number })[] = [
  { name: '20 % lost', loss: 0.2, jitter: 0, bitsPerSecond: MANY, lasts: 80 },
  { name: '2 s jitter', loss: 0, jitter: 2000, bitsPerSecond: MANY, lasts: 30 },
  { name: '64 kbit/s', loss: 0, jitter: 0, bitsPerSecond: 64_000, lasts: 60 },
]

export const roughRoad: Row = {
  id: 'F-19',
  name: 'packets are lost, late, or go by a thin line',
  short: roads.length,
  long: 30,
  async run(injections) {
    const figures: Figure[] = []
    let link: Link | undefined
    const address = () => `http://localhost:${link?.port ?? 0}`
    const opened = async (url: string) => (link = await Link.to({ host: '127.0.0.1', port: Number(new URL(url).port) }))
    let [errors, ends] = [0, 0]
    const end = await playScene({ address, opened, crowd: { pipeline: 2 } }, async ({ crowd, recorder }) => {
      crowd.talk()
      for (let time = 0; time < injections; time++) {
        const road = roads[time % roads.length]
        if (!road) break
        await crowd.acceptedReaches(crowd.accepted + 100)
        link?.pave(road)
        crowd.measure()
        const [since, before] = [recorder.now(), crowd.accepted]
        await crowd.acceptedReaches(crowd.accepted + road.lasts)
        const perSecond = Math.round((1000 * (crowd.accepted - before)) / (recorder.now() - since))
        figures.push(
          { name: `${road.name}: accepted`, value: perSecond, unit: '/s' },
          milliseconds('p50', quantile(crowd.acceptTimes, 0.5)),
        )
        link?.mend()
      }
      ;[errors, ends] = [crowd.errors, crowd.ends]
    })
    await link?.close()
    return outcomeOf(end, {
      injections,
      says: errors + ends > 0 ? `${errors} errors that people see, and ${ends} sockets ended because of a road` : undefined,
      figures,
    })
  },
}
