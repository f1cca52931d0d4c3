/** Starts the server: settings, signals and exit codes, nothing else. */
import { once } from 'node:events'
import { openHouse, type House } from './house.ts'
import { createLog, faultFields } from './log.ts'
import { readSettings, SettingsError, type Settings } from './settings.ts'

const settings = settingsOrExit()
const log = createLog({ level: settings.logLevel })
// Nobody knows what state an unforeseen fault left behind; what was accepted is on the disk, so start anew.
process.on('uncaughtException', (error) => {
  log('fault', { where: 'process', ...faultFields(error) })
  process.exit(1)
})

const { house, url, asked } = await start(settings).catch(exit)
const inFolder = settings.secretsKey === '' ? `, secrets are in ${settings.dataDir}` : ''
const place = settings.database === '' ? settings.dataDir : `PostgreSQL${inFolder}`
process.stdout.write(`\nTacit is ready: ${url}\nData is in ${place}; stop with Ctrl+C.\n\n`)

await asked
await house.close()
process.exit(0)

/** `asked`: to stop. */
async function start(chosen: Settings): Promise<{ house: House; url: string; asked: Promise<unknown> }> {
  const opened = await openHouse(chosen, { log })
  // Before anybody can know that it runs: from now on there is something to be ended in order.
  const asked = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  return { house: opened, url: (await opened.listen()).url, asked }
}

function settingsOrExit(): Settings {
  try {
    return readSettings()
  } catch (error) {
    if (error instanceof SettingsError) exit(error)
    throw error
  }
}

/** A start that fails says why in words; the cause, if any, below. */
function exit(error: unknown): never {
  const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : ''
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${cause}\n`)
  process.exit(1)
}
