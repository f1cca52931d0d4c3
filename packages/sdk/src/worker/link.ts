/**
 * A page's end of the line to its worker: starts it when first needed, keeps the calls that are not answered, and says them
 * again when another tab's worker has taken over.
 */
import { MessengerError } from '../api.ts'
import { fromPlainError, type FromPage, type Request, type ToPage } from './messages.ts'
import { verbs, type VerbName } from './verbs.ts'

export interface LinkOptions {
  readonly createWorker: () => Worker
  /** There is a new leader: tell it what is watched. */
  readonly onLeader: () => void
  readonly onSnapshot: (key: string, value: unknown) => void
  readonly onTrouble: (error: MessengerError) => void
  /** Newer code runs in another tab. */
  readonly onOutdated: () => void
}

interface Call {
  readonly verb: VerbName
  readonly request: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: MessengerError) => void
  sent: boolean
}

type LinkState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly worker: Worker; readonly closed: PromiseWithResolvers<void>; leader?: string }
  | { readonly kind: 'ended'; readonly why: MessengerError }

export class Link {
  readonly #options: LinkOptions
  readonly #calls = new Map<string, Call>()
  #state: LinkState = { kind: 'idle' }
  #remembered: Extract<FromPage, { type: 'remember' }> = { type: 'remember', device: false }
  #lastId = 0

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Starts the worker if it is not running. */
  start(): void {
    if (this.#state.kind !== 'idle') return
    try {
      const worker = this.#options.createWorker()
      this.#state = { kind: 'running', worker, closed: Promise.withResolvers() }
      worker.addEventListener('message', ({ data }: MessageEvent<ToPage>) => this.#hear(data))
      worker.addEventListener('error', (event) => this.#failed(worker, event.message))
      worker.postMessage(this.#remembered satisfies FromPage)
    } catch (error) {
      this.#couldNotStart(error)
    }
  }

  call(verb: VerbName, request: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#state.kind === 'ended') return reject(this.#state.why)
      const id = String(++this.#lastId)
      const call: Call = { verb, request, resolve, reject, sent: false }
      this.#calls.set(id, call)
      this.start()
      if (this.#state.kind === 'running' && this.#state.leader !== undefined) this.#send(id, call)
    })
  }

  /** Says it to the leader; without one it is dropped, and `onLeader` is the time to say it again. */
  tell(request: Request): void {
    if (this.#state.kind === 'running' && this.#state.leader !== undefined) this.#state.worker.postMessage(request)
  }

  /** Whether this browser is believed to hold a device. */
  remember(device: boolean, slot: string | undefined): void {
    this.#remembered = { type: 'remember', device, ...(slot !== undefined && { slot }) }
    if (this.#state.kind === 'running') this.#state.worker.postMessage(this.#remembered satisfies FromPage)
  }

  /** Lets the worker close what it holds, then ends it. */
  async close(): Promise<void> {
    const state = this.#state
    if (state.kind === 'running') {
      state.worker.postMessage({ type: 'close' } satisfies FromPage)
      await state.closed.promise
    }
    this.#end(new MessengerError('internal', 'This messenger is closed.'))
  }

  #send(id: string, call: Call): void {
    call.sent = true
    try {
      this.tell({ type: 'call', id, verb: call.verb, request: call.request })
    } catch (error) {
      this.#calls.delete(id)
      call.reject(new MessengerError('internal', 'These arguments are no plain data.', { cause: error }))
    }
  }

  #hear(message: ToPage): void {
    if (this.#state.kind !== 'running') return
    switch (message.type) {
      case 'leader':
        this.#state.leader = message.leader
        this.#options.onLeader()
        this.#sayAgain()
        return
      case 'done':
        this.#settle(message.id, (call) => call.resolve(message.value))
        return
      case 'failed':
        this.#settle(message.id, (call) => call.reject(fromPlainError(message.error)))
        return
      case 'snapshot':
        this.#options.onSnapshot(message.key, message.value)
        this.tell({ type: 'seen', key: message.key })
        return
      case 'trouble':
        this.#options.onTrouble(fromPlainError(message.error))
        return
      case 'outdated':
        this.#end(new MessengerError('client_too_old', 'A newer version runs in another tab. Load this page again.'))
        this.#options.onOutdated()
        return
      case 'closed':
        this.#state.closed.resolve()
    }
  }

  #settle(id: string, with_: (call: Call) => void): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (call) with_(call)
  }

  #sayAgain(): void {
    for (const [id, call] of this.#calls) {
      if (!call.sent || verbs[call.verb] === 'repeat') this.#send(id, call)
      else this.#settle(id, () => call.reject(interrupted()))
    }
  }

  /** The script could not be loaded or threw at its top; the next call tries again. */
  #failed(worker: Worker, reason: string): void {
    if (this.#state.kind !== 'running' || this.#state.worker !== worker) return
    worker.terminate()
    this.#state.closed.resolve()
    this.#state = { kind: 'idle' }
    this.#couldNotStart(reason)
  }

  #couldNotStart(cause: unknown): void {
    const error = new MessengerError('internal', 'The messenger could not be started in this browser.', { cause })
    this.#rejectAll(error)
    this.#options.onTrouble(error)
  }

  #end(why: MessengerError): void {
    if (this.#state.kind === 'running') {
      this.#state.worker.terminate()
      this.#state.closed.resolve()
    }
    this.#state = { kind: 'ended', why }
    this.#rejectAll(why)
  }

  #rejectAll(error: MessengerError): void {
    for (const id of this.#calls.keys()) this.#settle(id, (call) => call.reject(error))
  }
}

const interrupted = (): MessengerError =>
  new MessengerError('unavailable', 'The tab that was doing this was closed. See whether it was done before trying again.')
