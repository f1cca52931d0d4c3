/** Everything outside of the process that a command may touch, so that `main` alone takes hold of the real things. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Aborted once by SIGINT, SIGTERM or SIGHUP, or when nobody reads stdout any more; the reason is a `Stop`. */
  readonly stop: AbortSignal
  /** Milliseconds since 1970. */
  now(): number
}

export type Stop = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'closed_output'
