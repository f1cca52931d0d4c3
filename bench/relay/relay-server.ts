/**
 * The real server on a prepared data folder: `relay-server.ts <folder> <postgres://... or nothing> <limited|lifted>`. Lifted
 * are its rate limits. Nothing is shed for lag: a machine that also runs the generator, and whatever else, would be what is
 * measured. Everything else is as shipped.
 */
import { openHouse, settingsWith } from '@tacit/server'

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
  { elapsed: () => 0 },
)
const { port } = await house.listen()
process.send?.({ kind: 'listening', url: `ws://127.0.0.1:${port}` })
process.once('disconnect', () => process.exit())
