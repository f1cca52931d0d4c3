/** Chooses between the door and the messenger. The messenger's code is loaded only when there is somebody inside. */
import { lazy, Suspense, useSyncExternalStore } from 'react'
import { useRoute } from 'wouter'
import { DoorScreen } from './door/door-screen.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { LockScreen } from './lock/lock-screen.tsx'
import { useLockState, useWatch } from './messenger/messenger-context.tsx'
import { usePlatform } from './platform/platform-context.tsx'
import { UpdateToast } from './platform/update-toast.tsx'
import { paths } from './routes.ts'
import { Splash } from './splash.tsx'
import { TroubleScreen } from './trouble-screen.tsx'

const Shell = lazy(async () => ({ default: (await import('./shell/shell.tsx')).Shell }))

export function App() {
  return (
    <ErrorBoundary fallback={<TroubleScreen condition={{ kind: 'broken' }} />}>
      <Screen />
      <UpdateToast />
    </ErrorBoundary>
  )
}

function Screen() {
  const session = useWatch('session')
  const lock = useLockState()
  const trouble = useWatch('trouble')
  const nothingShown = useWatch('conversations') === undefined
  const { condition } = usePlatform()
  const standing = useSyncExternalStore(condition.subscribe, condition.get)
  const [atDoor] = useRoute(paths.signIn)
  if (standing.kind === 'outdated' || (standing.kind === 'trouble' && session.kind === 'starting'))
    return <TroubleScreen condition={standing} />
  if (lock.kind === 'locked' && session.kind !== 'signed_out') return <LockScreen {...lock} />
  // Nothing can be shown, which must not look as if there were nothing.
  if (trouble !== undefined && nothingShown) return <TroubleScreen condition={{ kind: 'trouble', failure: { name: trouble.failure } }} />
  switch (session.kind) {
    case 'starting':
      return <Splash />
    case 'signed_out':
    case 'signing_in':
      return <DoorScreen session={session} />
    case 'session_ended':
      if (atDoor) return <DoorScreen session={session} />
      break
    case 'signed_in':
      break
  }
  return (
    <Suspense fallback={<Splash />}>
      <Shell session={session} />
    </Suspense>
  )
}
