/** Starts the app: words, theme, device, screen. What comes in here is paid by everybody before they see anything. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nextProvider } from 'react-i18next'
import type { Live, SessionState } from '@tacit/sdk'
import { App } from './app.tsx'
import './design/tokens.css'
import './design/base.css'
import { MessengerProvider } from './messenger/messenger-context.tsx'
import { openMessenger } from './messenger/open-messenger.ts'
import { browserPlatform } from './platform/browser-platform.ts'
import type { OfflineApp } from './platform/offline-app.ts'
import { PlatformProvider } from './platform/platform-context.tsx'
import { scriptUrls } from './platform/trusted-types.ts'
import { followTheme } from './preferences/theme.ts'
import { openWords } from './words/words.ts'
// The bundler makes this address.
// oxlint-disable-next-line import/default
import workerUrl from './messenger/worker.ts?worker&url'

const SERVICE_WORKER = '/sw.js'

async function start(place: HTMLElement): Promise<void> {
  followTheme()
  const scriptUrl = scriptUrls([new URL(workerUrl, location.origin).pathname, SERVICE_WORKER])
  const { messenger, condition } = openMessenger({ workerUrl: scriptUrl(workerUrl) })
  const platform = browserPlatform({ serviceWorkerUrl: scriptUrl(SERVICE_WORKER), condition })
  followSession({ session: messenger.watch('session'), offline: platform.offline })
  const words = await openWords(navigator.languages)
  createRoot(place).render(
    <StrictMode>
      <I18nextProvider i18n={words}>
        <PlatformProvider value={platform}>
          <MessengerProvider messenger={messenger}>
            <App />
          </MessengerProvider>
        </PlatformProvider>
      </I18nextProvider>
    </StrictMode>,
  )
}

/** The app is kept for offline use as long as somebody lives here. */
function followSession({ session, offline }: { readonly session: Live<SessionState>; readonly offline: OfflineApp }): void {
  const follow = () => {
    const state = session.get()
    if (state.kind === 'signed_in' || state.kind === 'session_ended') offline.keep()
    if (state.kind === 'signed_out' && state.why === 'signed_out') void offline.forget()
  }
  session.subscribe(follow)
  follow()
}

const place = document.getElementById('app')
if (place !== null) void start(place)
