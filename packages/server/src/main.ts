/** Starts the server: settings, signals and exit codes, nothing else. */
import { once } from 'node:events'
import { openHouse, type House } from './house.ts'
import { readSettings, SettingsError, type Settings } from './settings.ts'

const settings = settingsOrExit()
const house = await openOrExit(settings)
const { url } = await house.listen().catch(exit)
process.stdout.write(`\nTacit is ready: ${url}\nData is in ${settings.dataDir}; stop with Ctrl+C.\n\n`)

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
await house.close()
process.exit(0)

function settingsOrExit(): Settings {
  try {
    return readSettings()
  } catch (error) {
    if (error instanceof SettingsError) exit(error)
    throw error
  }
}

async function openOrExit(chosen: Settings): Promise<House> {
  try {
    return await openHouse(chosen)
  } catch (error) {
    return exit(error)
  }
}

/** A start that fails says why in words; the cause, if any, below. */
function exit(error: unknown): never {
  const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : ''
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${cause}\n`)
  process.exit(1)
}
