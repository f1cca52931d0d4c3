/** The process: signals, streams and the exit code. Everything else is in `program.ts`. */
import { run } from './program.ts'
import type { Stop } from './world.ts'

// What the client writes is for its owner alone.
process.umask(0o077)

const stop = new AbortController()
const stopFor = (reason: Stop) => stop.abort(reason)

// They stay until the process ends: the launcher may pass on a signal that the terminal has sent us already.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopFor(signal))
// The launcher was killed, and nobody could stop us any more.
process.on('disconnect', () => stopFor('SIGHUP'))
process.channel?.unref()
// The reader of a pipe may go whenever it likes (`tacit listen | head -1`).
process.stdout.on('error', () => stopFor('closed_output'))

const { env, stdin, stdout, stderr } = process
const code = await run(process.argv.slice(2), { env, stdin, stdout, stderr, stop: stop.signal, now: Date.now })
// Whatever still waits for something must not keep the terminal; what was said has to get out first, though.
await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
process.exit(code)
