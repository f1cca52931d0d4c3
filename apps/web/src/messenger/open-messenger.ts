/** Opens the device of this browser. The worker, and with it SQLite and MLS, starts only when there is something to open. */
import { openBrowserMessenger, type PageMessenger } from '@tacit/sdk/browser'
import { failureOf } from './failure.ts'
import { conditionValue, type ConditionLive } from './condition.ts'

export interface OpenedMessenger {
  readonly messenger: PageMessenger
  readonly condition: ConditionLive
}

/** @param workerUrl as Trusted Types want it. */
export function openMessenger({ workerUrl }: { readonly workerUrl: string }): OpenedMessenger {
  const condition = conditionValue()
  const messenger = openBrowserMessenger({
    createWorker: () => new Worker(workerUrl, { type: 'module', name: 'tacit' }),
    onTrouble: (error) => condition.set({ kind: 'trouble', failure: failureOf(error) }),
    onOutdated: () => condition.set({ kind: 'outdated' }),
  })
  return { messenger, condition }
}
