import { firstState, type State } from './shape.ts'

/** Three devices in two conversations: four messages, and two commits that want the same epoch. */
export const smallWorld: State = firstState([
  [[message(0)], [message(1), commit(2)], [commit(3)]],
  [[message(4)], [], [message(5)]],
])

/** One writes while two others want the same epoch: about a million states, and no more. */
export const race: State = firstState([[[message(0)], [commit(1)], [commit(2)]]])

export function message(name: number) {
  return { name, kind: 'message' } as const
}

export function commit(name: number) {
  return { name, kind: 'commit' } as const
}
