/**
 * History that comes in from the archive. A new device reads it, newest first, for as long as it is connected; so a command that shows
 * history waits for what it shows, and says what is still to come.
 */
import type { ConnectionState, HistoryState, Live } from '@tacit/sdk'
import { catchUp } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { soon } from '../terminal/until.ts'
import type { Voice } from '../terminal/voice.ts'
import type { World } from '../world.ts'

/** What takes longer than this is explained, ms. */
const QUIET = 2_000

/** How long a command waits in all, ms. */
const PATIENCE = 30_000

type Progress =
  /** The server was not asked yet. */
  | 'unknown'
  /** So many lines were read. */
  | number
  | 'all'

export interface ComingParts {
  readonly history: Live<HistoryState | undefined>
  readonly connection: Live<Pick<ConnectionState, 'kind'>>
  readonly voice: Pick<Voice, 'notice'>
  readonly world: Pick<World, 'now' | 'stop'>
}

/** Catches up, and gives what waits for history, altogether for so many milliseconds. */
export async function historyComing(context: SignedInContext, within: number = PATIENCE): Promise<Coming> {
  await catchUp(context)
  const { device, voice, world } = context
  return new Coming({ history: device.watch('history'), connection: device.watch('connection'), voice, world }, within)
}

export class Coming {
  readonly #parts: ComingParts
  readonly #begun: number
  readonly #end: number
  #seen: Progress = 'unknown'
  #told = false

  constructor(parts: ComingParts, within: number) {
    this.#parts = parts
    this.#begun = parts.world.now()
    this.#end = this.#begun + within
  }

  /** Whether the newest part of the archive is here. */
  get hasNewest(): boolean {
    const progress = this.#progress()
    return progress !== 'unknown' && progress !== 0
  }

  /** Waits until more is here than when it was asked last. False: that was all, or no more comes now. */
  async more(): Promise<boolean> {
    const { world, voice } = this.#parts
    if (this.#seen === 'all') return false
    const left = () => Math.max(0, this.#end - world.now())
    if (!this.#told && !(await this.#news(Math.min(left(), Math.max(0, this.#begun + QUIET - world.now())))) && this.#connected) {
      this.#told = true
      voice.notice('Waiting for your history, which comes from the archive.')
    }
    const news = await this.#news(left())
    if (news) this.#seen = this.#progress()
    return news
  }

  /** Says what is not here yet. */
  say(): void {
    const { history, voice } = this.#parts
    const state = history.get()
    if (state?.restoring) {
      const { done, total } = state.restoring
      voice.notice(`Older history is still coming in: ${done} of ${total} lines so far. It goes on with every command.`)
    } else if (!state && this.#connected) voice.notice('The archive did not answer; this is what is on this device.')
    else if (state?.trouble === 'missing' || state?.trouble === 'unreadable')
      voice.notice('A part of your archive is not here. See `tacit archive`.')
  }

  async #news(patience: number): Promise<boolean> {
    const { history, connection, world } = this.#parts
    const news = () => (this.#progress() !== this.#seen ? true : this.#connected ? undefined : false)
    const either: Live<boolean | undefined> = {
      get: news,
      subscribe: (listener) => {
        const stops = [history.subscribe(listener), connection.subscribe(listener)]
        return () => stops.forEach((stop) => stop())
      },
    }
    return (await soon(either, (now) => now, { stop: world.stop, patience })) ?? false
  }

  get #connected(): boolean {
    return this.#parts.connection.get().kind === 'online'
  }

  #progress(): Progress {
    const state = this.#parts.history.get()
    return state ? (state.restoring?.done ?? 'all') : 'unknown'
  }
}
