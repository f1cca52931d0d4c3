/** Starts the app: words, theme, device, screen. What comes in here is paid by everybody before they see anything. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nextProvider } from 'react-i18next'
import { App } from './app.tsx'
import './design/tokens.css'
import './design/base.css'
import { MessengerProvider } from './messenger/messenger-context.tsx'
import { openMessenger } from './messenger/open-messenger.ts'
import { browserPlatform } from './platform/browser-platform.ts'
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

const place = document.getElementById('app')
if (place !== null) void start(place)
