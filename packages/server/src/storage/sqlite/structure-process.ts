/** The program of `checkStructure`: prints what SQLite says of its own file as a JSON array of lines, none when all is well. */
import { constants, setPriority } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { isDamage } from './sqlite-faults.ts'

/** Of what is wrong the first so many lines say enough. */
const MOST_NAMED = 20

// Nobody waits for it.
setPriority(constants.priority.PRIORITY_LOW)
process.stdout.write(JSON.stringify(look(process.argv[2] ?? '')))

function look(file: string): string[] {
  try {
    const sqlite = new DatabaseSync(file, { readOnly: true })
    const lines = sqlite.prepare(`PRAGMA quick_check(${MOST_NAMED})`).all()
    return lines.map((line) => String(line['quick_check'])).filter((line) => line !== 'ok')
  } catch (error) {
    if (!isDamage(error)) throw error
    return [String(error)]
  }
}
