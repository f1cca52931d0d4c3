/**
 * The worker that holds the device of a browser: store, cryptography and connection. Every tab has one; they agree among
 * themselves which of them does the work (worker/tab.ts).
 */
import { DeviceId } from '@tacit/contract'
import type { Live, Messenger, SessionState } from './api.ts'
import { openEngine } from './engine.ts'
import { openMessenger } from './messenger.ts'
import { startTabWorker } from './worker/start.ts'

export interface WorkerOptions {
  /** Origin of the server; without it, the one that this script came from. */
  readonly server?: string
  /** Must be the page's (browser.ts). */
  readonly scope?: string
}

/** Call it once, at the top of a worker script: it listens from then on. */
export function startWorker({ server = location.origin, scope = 'tacit' }: WorkerOptions = {}): void {
  startTabWorker({
    scope,
    async openCore({ store, storageLost, slot }) {
      const replaces = () => DeviceId.safeParse(slot()).data
      const messenger = await openMessenger({ server, store, engine: await openEngine(), replaces })
      return storageLost ? tellingTheLoss(messenger) : messenger
    },
  })
}

/** On the new, empty store the session says why it is empty, until somebody signs in. */
function tellingTheLoss(messenger: Messenger): Messenger {
  const session = messenger.watch('session')
  const told: Live<SessionState> = {
    subscribe: (listener) => session.subscribe(listener),
    get() {
      const state = session.get()
      return state.kind === 'signed_out' && state.why === 'fresh' ? lost : state
    },
  }
  const watch: Messenger['watch'] = (topic, ...param) => (topic === 'session' ? told : messenger.watch(topic, ...param))
  return { ...messenger, watch }
}

const lost: SessionState = { kind: 'signed_out', why: 'storage_lost' }
