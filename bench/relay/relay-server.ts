/** The real server on a prepared data folder: `relay-server.ts <folder> [postgres://...]`. Rate limits are lifted; everything else is as shipped. */
import { openHouse, settingsWith } from '@tacit/server'

const house = await openHouse(
  settingsWith({
    dataDir: process.argv[2] ?? '',
    database: process.argv[3] ?? '',
    port: 0,
    metricsPort: 0,
    logLevel: 'error',
    limitsFactor: 1_000_000,
  }),
  { elapsed: () => 0 },
)
const { port } = await house.listen()
process.send?.({ kind: 'listening', url: `ws://127.0.0.1:${port}` })
process.once('disconnect', () => process.exit())
