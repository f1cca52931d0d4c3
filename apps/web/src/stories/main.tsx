/**
 * Draws one scene of the app on a hand-made messenger: `/stories.html?scene=offline&path=/c/bob`. Only the development
 * server serves it (`npx vite apps/web`).
 */
import { createRoot } from 'react-dom/client'
import { I18nextProvider } from 'react-i18next'
import { Router } from 'wouter'
import { memoryLocation } from 'wouter/memory-location'
import { App } from '../app.tsx'
import '../design/tokens.css'
import '../design/base.css'
import { conditionValue } from '../messenger/condition.ts'
import { MessengerProvider } from '../messenger/messenger-context.tsx'
import { PlatformProvider, type Platform } from '../platform/platform-context.tsx'
import { followTheme } from '../preferences/theme.ts'
import { openWords } from '../words/words.ts'
import { now } from './cast.ts'
import { fixtureMessenger } from './fixture-messenger.ts'
import { scenes } from './scenes.ts'

const asked = new URLSearchParams(location.search)
const scene = scenes[asked.get('scene') ?? ''] ?? {}
const condition = conditionValue()
if (asked.has('outdated')) condition.set({ kind: 'outdated' })

const platform: Platform = {
  passkeys: {
    create: async () => ({ response: {}, prf: new Uint8Array(32) }),
    use: async () => ({ response: {}, prf: new Uint8Array(32) }),
    createForLock: async () => ({ credential: 'AA', prf: new Uint8Array(32) }),
    useForLock: async () => new Uint8Array(32),
  },
  deviceName: 'a story',
  keepStorage: async () => true,
  offline: {
    get: () => asked.has('update'),
    subscribe: () => () => undefined,
    apply: () => undefined,
    keep: () => undefined,
    forget: async () => undefined,
  },
  condition,
  reload: () => undefined,
  now: () => now,
}

async function draw(place: HTMLElement): Promise<void> {
  followTheme()
  const words = await openWords([asked.get('language') ?? 'en'])
  const { hook } = memoryLocation({ path: asked.get('path') ?? '/' })
  createRoot(place).render(
    <I18nextProvider i18n={words}>
      <PlatformProvider value={platform}>
        <MessengerProvider messenger={fixtureMessenger(scene)}>
          <Router hook={hook}>
            <App />
          </Router>
        </MessengerProvider>
      </PlatformProvider>
    </I18nextProvider>,
  )
}

const place = document.getElementById('app')
if (place !== null) void draw(place)
