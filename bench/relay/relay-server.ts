/**
 * The real server on a prepared data folder: `relay-server.ts <folder> <postgres://... or nothing> <limited|lifted>`. Lifted
 * are its rate limits. Nothing is shed for lag: a machine that also runs the generator, and whatever else, would be what is
 * measured. Everything else is as shipped, also that work which nobody waits for rests longer while the loop is late.
 */
import { openHouse, settingsWith } from '@tacit/server'

/** A beat of the loop is due after 100 ms, and newcomers are sent away when it is 200 ms late. */
const LONGEST_STEP = 250

const [folder = '', database = '', limits = 'lifted'] = process.argv.slice(2)
const house = await openHouse(
  settingsWith({
    dataDir: folder,
    database,
    port: 0,
    metricsPort: 0,
    logLevel: 'error',
    // What a proxy says is believed, so that people can have an address each.
    ...(limits === 'limited' ? { trustedProxies: ['127.0.0.1'] } : { limitsFactor: 1_000_000 }),
  }),
  { elapsed: neverVeryLate() },
)
const { port } = await house.listen()
process.send?.({ kind: 'listening', url: `ws://127.0.0.1:${port}` })
process.once('disconnect', () => process.exit())

/** Milliseconds, in steps that are too small for the loop to be found as late as when newcomers are sent away (`loop-lag.ts`). */
function neverVeryLate(): () => number {
  let [told, before] = [0, performance.now()]
  return () => {
    const now = performance.now()
    told += Math.min(now - before, LONGEST_STEP)
    before = now
    return told
  }
}
