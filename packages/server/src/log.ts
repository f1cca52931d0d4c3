/** Structured log lines (pino). Only events and fields that events.ts declares, each field short. */
import { pino, type DestinationStream } from 'pino'
import { logEvents, type LogEvents } from './events.ts'
import type { Settings } from './settings.ts'

export type LogFields<E extends keyof LogEvents> = { readonly [F in LogEvents[E]['fields'][number]]?: string | number | undefined }

/** Writes one line. */
export type Log = <E extends keyof LogEvents>(event: E, fields?: LogFields<E>) => void

const LONGEST_FIELD = 2000

/** Lines go to standard output unless another destination is given. */
export function createLog({ level, destination }: { level: Settings['logLevel']; destination?: DestinationStream }): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  const logger = destination ? pino(options, destination) : pino(options)
  return (event, fields = {}) => {
    const { level: at, fields: allowed } = logEvents[event]
    const given: Record<string, unknown> = fields
    const line: Record<string, string | number> = { event }
    for (const name of allowed) {
      const value = given[name]
      if (typeof value === 'number') line[name] = value
      if (typeof value === 'string') line[name] = value.slice(0, LONGEST_FIELD)
    }
    logger[at](line)
  }
}

/** A fault as log fields. Its message is left out: it may quote what a person sent. */
export function faultFields(error: unknown): { error: string; code: string | undefined; trace: string | undefined } {
  if (!(error instanceof Error)) return { error: typeof error, code: undefined, trace: undefined }
  const named = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  // What SQLite calls the result code, in fixed words: of a failing disk an operator must read more than that there was an error.
  const code = 'errstr' in error && typeof error.errstr === 'string' ? `${named}: ${error.errstr}` : named
  const trace = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim())
    .join(' | ')
  return { error: error.name, code, trace }
}
