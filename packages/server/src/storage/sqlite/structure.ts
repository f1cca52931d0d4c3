/**
 * SQLite's own look at its file (`PRAGMA quick_check`: every page is where it belongs, every row can be read). It goes through all
 * of the file in one piece, so a process of its own does it, beside the server; meanwhile the log cannot begin anew and grows.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('structure-process.ts', import.meta.url))

/** Lines about what is wrong, none when all is well. Throws when it could not look, and when `signal` ends it. */
export async function checkStructure(file: string, signal: AbortSignal): Promise<readonly string[]> {
  // It needs nothing of the environment, and the server's has secrets in it.
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, file], { env: {}, signal, killSignal: 'SIGKILL' })
  const lines: unknown = JSON.parse(stdout)
  return Array.isArray(lines) ? lines.map(String) : []
}
