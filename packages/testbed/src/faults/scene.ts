/** Where a row takes place: a server process, a crowd that talks to it, and the history of what happens. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '../checker/checker.ts'
import { startServerProcess, type ServerProcess, type ServerProcessOptions } from '../server-process.ts'
import { Crowd, type CrowdOptions } from './crowd.ts'
import { Recorder, type Truth } from './recorder.ts'
import { milliseconds, type Figure, type Outcome } from './row.ts'

export interface SceneOptions extends ServerProcessOptions {
  readonly crowd?: Omit<CrowdOptions, 'recorder' | 'address'>
  /** What devices connect to instead of the server itself. */
  readonly address?: (server: ServerProcess) => string
  /** Called when the server is there, before anybody connects. */
  readonly opened?: (url: string) => Promise<unknown>
  /** The PostgreSQL database; SQLite without one. */
  readonly database?: string
}

export interface Scene {
  readonly server: ServerProcess
  readonly crowd: Crowd
  readonly recorder: Recorder
}

export interface SceneEnd extends Report {
  /** Milliseconds from the last fault until everybody had everything (D-11). */
  readonly settled: Figure
}

/** Nothing was played: the crowd could not even sign up and begin to talk. On a machine that is busy with other things this happens. */
export class NotOpened extends Error {
  constructor(cause: unknown) {
    super(`the scene did not open: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** D-11: everybody is at the head so soon after the last fault, milliseconds. */
const SETTLES_WITHIN = 30_000

/** Plays a scene: opens it, lets `play` do its worst, waits until everybody has everything, ends the server, checks the history. */
export async function playScene(options: SceneOptions, play: (scene: Scene) => Promise<void>): Promise<SceneEnd> {
  const { crowd: crowdOptions, address, opened, database, environment, ...process } = options
  const folder = mkdtempSync(join(tmpdir(), 'tacit-faults-'))
  const server = await startServerProcess({
    ...process,
    environment: { TACIT_LOG_LEVEL: 'warn', ...(database !== undefined && { TACIT_DATABASE: database }), ...environment },
  })
  try {
    await opened?.(server.url)
    const recorder = new Recorder(join(folder, 'history.jsonl'))
    const opening = Crowd.open({ ...crowdOptions, recorder, address: () => address?.(server) ?? server.url })
    const crowd = await opening.catch((error: unknown) => {
      throw new NotOpened(error)
    })
    await play({ server, crowd, recorder })
    const took = await crowd.settle()
    await crowd.stop()
    await server.stop()
    const truth: Truth = database === undefined ? { file: join(server.dataDir, 'tacit.sqlite') } : { url: database }
    const report = await recorder.finish(truth, (device, conversation) => crowd.outboxOf(device, conversation))
    return { ...report, settled: milliseconds('all at head after', took, SETTLES_WITHIN) }
  } finally {
    await server.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `says`: what the row itself found wrong. */
export function outcomeOf(
  end: SceneEnd,
  { injections, says, figures }: { injections: number; says: string | undefined; figures: Outcome['figures'] },
): Outcome {
  const violations = says === undefined ? end.violations : [...end.violations, { id: 'row', says }]
  return { injections, acknowledged: end.acknowledged, violations, figures: [...figures, end.settled] }
}
