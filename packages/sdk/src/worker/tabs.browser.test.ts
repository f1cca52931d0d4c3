import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConversationId } from '@tacit/contract'
import { openDB } from 'idb'
import type { SessionState } from '../api.ts'
import { hasLocalDevice, openBrowserMessenger, requestPersistence, type LockState, type PageMessenger } from '../browser.ts'
import { keyOfMemory } from './memory.ts'

const notebook = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId

let scope = ''
let witness: BroadcastChannel
let seen: unknown[] = []
const tabs = new Set<Tab>()

beforeEach(() => {
  scope = `tabs-${crypto.randomUUID()}`
  seen = []
  witness = new BroadcastChannel(`${scope}:witness`)
  witness.addEventListener('message', ({ data }: MessageEvent<unknown>) => seen.push(data))
})
afterEach(() => {
  for (const tab of tabs) tab.kill()
  tabs.clear()
  witness.close()
  for (const name of [keyOfMemory(scope), `${scope}.slot`]) localStorage.removeItem(name)
})

describe('a page', () => {
  test('starts no worker before somebody acts, and says that nobody is signed in', () => {
    const tab = openTab()
    tab.watchAll()
    expect(tab.session()).toEqual({ kind: 'signed_out', why: 'fresh' })
    expect(tab.workers).toBe(0)
  })

  test('is told why a verb was refused, and for how long', async () => {
    const tab = openTab()
    await expect(tab.messenger.signIn({ handle: 'mallory', password: 'x' })).rejects.toMatchObject({
      name: 'MessengerError',
      failure: 'rate_limited',
      message: 'Wait a little.',
      retryAfter: 7,
    })
  })

  test('of a signed-in browser starts at once, and stays signed in when it is opened again', async () => {
    const first = await signedInTab()
    expect(hasLocalDevice(scope)).toBe(true)
    await first.messenger.close()
    await expect(first.messenger.sessions()).rejects.toMatchObject({ failure: 'internal' })
    const second = openTab()
    expect(second.session()).toEqual({ kind: 'starting' })
    await until(() => expect(second.session().kind).toBe('signed_in'))
  })

  test('whose device fails to open is told so, and can try again', async () => {
    const tab = openTab({ variant: 'fails once' })
    await expect(tab.messenger.signIn({ handle: 'alice', password: 'x' })).rejects.toMatchObject({ failure: 'storage' })
    await tab.messenger.signIn({ handle: 'alice', password: 'x' })
    await until(() => expect(tab.session().kind).toBe('signed_in'))
  })

  test('keeps what did not change in a snapshot the very same object', async () => {
    const tab = await signedInTab()
    tab.watchAll()
    await tab.write('one')
    await until(() => expect(tab.lines()).toEqual(['one']))
    const before = tab.timeline().get()
    await tab.write('two')
    await until(() => expect(tab.lines()).toEqual(['one', 'two']))
    expect(tab.timeline().get()?.items[0]).toBe(before?.items[0])
    expect(tab.timeline()).toBe(tab.messenger.watch('timeline', notebook))
    expect(tab.timeline().get()).toBe(tab.timeline().get())
  })
})

describe('two tabs', () => {
  test('share one device: one of them opens it, and both show the same, once and in order', async () => {
    const [first, second] = [await signedInTab(), openTab()]
    await until(() => expect(second.session().kind).toBe('signed_in'))
    for (const tab of [first, second]) tab.watchAll()
    await Promise.all([first.write('a1'), first.write('a2'), second.write('b1'), second.write('b2')])
    await until(() => expect(first.lines()).toHaveLength(4))
    await until(() => expect(second.lines()).toEqual(first.lines()))
    expect(first.lines().filter((line) => line.startsWith('a'))).toEqual(['a1', 'a2'])
    expect(first.lines().filter((line) => line.startsWith('b'))).toEqual(['b1', 'b2'])
    expect(seen.filter((word) => word === 'opened')).toHaveLength(1)
  })

  test('sign in together: a tab that was not signed in hears of it', async () => {
    const waiting = openTab()
    await signedInTab()
    rememberedElsewhere()
    await until(() => expect(waiting.session().kind).toBe('signed_in'))
  })

  test('sign out together, nothing is left in the browser, and signing in again begins anew', async () => {
    const [first, second] = [await signedInTab(), openTab()]
    for (const tab of [first, second]) tab.watchAll()
    await first.write('to be forgotten')
    await until(() => expect(second.lines()).toEqual(['to be forgotten']))
    await second.messenger.signOut()
    for (const tab of [first, second]) {
      await until(() => expect(tab.session()).toEqual({ kind: 'signed_out', why: 'signed_out' }))
      expect(tab.timeline().get()).toBeUndefined()
    }
    expect(hasLocalDevice(scope)).toBe(false)
    expect(await folders()).not.toContain(`${scope}-device`)
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(`${scope}-device`)

    await second.messenger.signIn({ handle: 'alice', password: 'x' })
    await second.write('new')
    for (const tab of [first, second]) await until(() => expect(tab.lines()).toEqual(['new']))
  })
})

describe('when the tab that leads', () => {
  test('dies, another takes over; what was on screen stays there', async () => {
    const [leader, other, third] = [await signedInTab(), openTab(), openTab()]
    for (const tab of [leader, other, third]) tab.watchAll()
    await leader.write('before')
    for (const tab of [other, third]) await until(() => expect(tab.lines()).toEqual(['before']))
    const shown = new Set<string>()
    other.timeline().subscribe(() => shown.add(JSON.stringify(other.lines())))
    other.messenger.watch('session').subscribe(() => shown.add(other.session().kind))
    leader.kill()
    await other.write('after')
    for (const tab of [other, third]) await until(() => expect(tab.lines()).toEqual(['before', 'after']))
    expect([...shown]).toEqual(['["before","after"]'])
    expect(seen.filter((word) => word === 'opened')).toHaveLength(2)
  })

  test('dies before it answered a message that it had written, the message is there once and its sender learns it', async () => {
    const [leader, other] = [await signedInTab(), openTab()]
    for (const tab of [leader, other]) tab.watchAll()
    await until(() => expect(other.session().kind).toBe('signed_in'))
    const sent = other.write('unanswered')
    await until(() => expect(seen).toContain('written'))
    leader.kill()
    await other.write('next')
    const message = await sent
    await until(() => expect(other.lines()).toEqual(['unanswered', 'next']))
    expect(other.timeline().get()?.items[0]).toMatchObject({ message })
  })

  test('dies in the middle of what must not happen twice, the caller is told', async () => {
    const [leader, other] = [await signedInTab(), openTab()]
    await until(() => expect(other.session().kind).toBe('signed_in'))
    const created = other.messenger.createGroup({ title: 'Climbing', handles: [] })
    await until(() => expect(seen).toContain('creating'))
    leader.kill()
    await expect(created).rejects.toMatchObject({ failure: 'unavailable' })
    expect(seen.filter((word) => word === 'creating')).toHaveLength(1)
  })

  test('dies in the middle of signing out, the next one finishes it and nobody speaks of a loss', async () => {
    const [leader, other] = [await signedInTab({ variant: 'is killed while signing out' }), openTab()]
    await until(() => expect(other.session().kind).toBe('signed_in'))
    const signedOut = other.messenger.signOut()
    await until(() => expect(seen).toContain('wiped'))
    leader.kill()
    await signedOut
    await until(() => expect(other.session()).toEqual({ kind: 'signed_out', why: 'fresh' }))
    expect(hasLocalDevice(scope)).toBe(false)
  })

  test('is closed, it closes the store first and another takes over', async () => {
    const [leader, other] = [await signedInTab(), openTab()]
    await until(() => expect(other.session().kind).toBe('signed_in'))
    await leader.messenger.close()
    await until(() => expect(seen).toContain('closed'))
    await other.write('after')
    other.watchAll()
    await until(() => expect(other.lines()).toEqual(['after']))
  })

  test('dies ten times in a row, nothing is lost and nothing comes twice (F-23)', async () => {
    let leader = await signedInTab()
    const written: string[] = []
    for (let round = 0; round < 10; round++) {
      const next = openTab()
      await until(() => expect(next.session().kind).toBe('signed_in'))
      const sends = [0, 1, 2].map((n) => next.write(`${round}.${n}`))
      leader.kill()
      await Promise.all(sends)
      written.push(...[0, 1, 2].map((n) => `${round}.${n}`))
      leader = next
    }
    leader.watchAll()
    await until(() => expect(leader.lines()).toEqual(written))
  })
})

describe('behind an app lock', () => {
  const secret = { kind: 'pin', pin: '271828' } as const
  const wrong = { kind: 'pin', pin: '000000' } as const

  test('a browser that is opened again shows nothing before the PIN, and everything after it', async () => {
    const first = await signedInTab()
    await first.write('behind the lock')
    await first.messenger.lock.setLock({ secret, afterMinutes: 5 })
    await first.messenger.close()

    const tab = openTab()
    tab.watchAll()
    await until(() => expect(tab.lock().kind).toBe('locked'))
    expect(tab.session().kind).toBe('starting')
    await expect(tab.messenger.sessions()).rejects.toMatchObject({ failure: 'locked' })
    await expect(tab.messenger.lock.unlock({ secret: wrong })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
    expect(seen.filter((word) => word === 'opened')).toHaveLength(1)
    await tab.messenger.lock.unlock({ secret })
    await until(() => expect(tab.lines()).toEqual(['behind the lock']))
    expect(tab.lock()).toEqual({ kind: 'open', by: 'pin', afterMinutes: 5 })
  })

  test('all tabs close at once, forget what they showed, and open together', async () => {
    const [first, second] = [await signedInTab(), openTab()]
    for (const tab of [first, second]) tab.watchAll()
    await first.write('on both screens')
    await first.messenger.lock.setLock({ secret, afterMinutes: 5 })
    await until(() => expect(second.lines()).toEqual(['on both screens']))
    await second.messenger.lock.lock()
    for (const tab of [first, second]) {
      await until(() => expect(tab.lock().kind).toBe('locked'))
      expect(tab.timeline().get()).toBeUndefined()
    }
    await until(() => expect(seen).toContain('closed'))
    await first.messenger.lock.unlock({ secret })
    for (const tab of [first, second]) await until(() => expect(tab.lines()).toEqual(['on both screens']))
  })

  test('a passkey opens what it locked, and nothing else does', async () => {
    const passkey = { kind: 'passkey', prf: new Uint8Array(32).fill(7) } as const
    const tab = await signedInTab()
    await tab.messenger.lock.setLock({ secret: passkey, credential: 'abc', afterMinutes: 5 })
    tab.watchAll()
    await tab.messenger.lock.lock()
    await until(() => expect(tab.lock()).toMatchObject({ kind: 'locked', by: 'passkey', credential: 'abc' }))
    for (const other of [secret, { kind: 'passkey', prf: new Uint8Array(32).fill(8) } as const])
      await expect(tab.messenger.lock.unlock({ secret: other })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
    await tab.messenger.lock.unlock({ secret: passkey })
    await until(() => expect(tab.lock().kind).toBe('open'))
  })

  test('the fifth wrong try makes the next one wait, even the right one, and the person is told how long', async () => {
    const tab = await signedInTab()
    await tab.messenger.lock.setLock({ secret, afterMinutes: 5 })
    tab.watchAll()
    await tab.messenger.lock.lock()
    for (let tries = 1; tries <= 5; tries++)
      await expect(tab.messenger.lock.unlock({ secret: wrong })).rejects.toMatchObject({
        failure: 'wrong_lock_secret',
        retryAfter: tries < 5 ? undefined : 30,
      })
    await expect(tab.messenger.lock.unlock({ secret })).rejects.toMatchObject({ failure: 'rate_limited', retryAfter: expect.any(Number) })
    await until(() => expect(tab.lock()).toMatchObject({ notBefore: expect.any(Number) }))
    expect(Object(tab.lock()).notBefore).toBeGreaterThan(Date.now())
  })

  test('changing or removing it takes the secret until now; without it a browser opens by itself again', async () => {
    const tab = await signedInTab()
    tab.watchAll()
    await tab.messenger.lock.setLock({ secret, afterMinutes: 5 })
    await expect(tab.messenger.lock.setLock({ secret: wrong, afterMinutes: 5 })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
    await expect(tab.messenger.lock.removeLock({ current: wrong })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
    await tab.messenger.lock.setLock({ secret: wrong, afterMinutes: 9, current: secret })
    await until(() => expect(tab.lock()).toMatchObject({ afterMinutes: 9 }))
    await tab.messenger.lock.removeLock({ current: wrong })
    await tab.messenger.close()
    const after = openTab()
    await until(() => expect(after.session().kind).toBe('signed_in'))
  })

  test('a short PIN, a time that is none, and a lock on nothing are refused', async () => {
    const tab = openTab()
    await expect(tab.messenger.lock.setLock({ secret, afterMinutes: 5 })).rejects.toMatchObject({ failure: 'not_signed_in' })
    await tab.messenger.signIn({ handle: 'alice', password: 'x' })
    await expect(tab.messenger.lock.setLock({ secret: { kind: 'pin', pin: '12345' }, afterMinutes: 5 })).rejects.toMatchObject({
      failure: 'weak_password',
    })
    for (const afterMinutes of [0, 1441, 2.5])
      await expect(tab.messenger.lock.setLock({ secret, afterMinutes })).rejects.toMatchObject({ failure: 'malformed' })
    await expect(tab.messenger.lock.lock()).rejects.toMatchObject({ failure: 'not_allowed' })
  })

  test('somebody who forgot the PIN begins anew, and nothing of before is left', async () => {
    const tab = await signedInTab()
    tab.watchAll()
    await tab.write('gone')
    await tab.messenger.lock.setLock({ secret, afterMinutes: 5 })
    await tab.messenger.lock.lock()
    await tab.messenger.lock.forgetDevice()
    await until(() => expect(tab.session()).toEqual({ kind: 'signed_out', why: 'signed_out' }))
    expect(hasLocalDevice(scope)).toBe(false)
    expect(await folders()).not.toContain(`${scope}-device`)
    await tab.messenger.signIn({ handle: 'alice', password: 'x' })
    await tab.write('new')
    await until(() => expect(tab.lines()).toEqual(['new']))
  })

  test('the key of the database is in nothing that the browser keeps: not even its own key opens it', async () => {
    const tab = await signedInTab()
    await tab.messenger.lock.setLock({ secret, afterMinutes: 5 })
    await tab.messenger.close()
    const record = await storedRecord()
    const inner = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: record.iv }, record.wrapping, record.sealed)
    // Nonce, sealed key and tag; without a lock these would be the 32 bytes themselves.
    expect(inner.byteLength).toBe(12 + 32 + 16)
  })
})

describe('when the browser', () => {
  test('threw the database away, the page says so instead of beginning anew in silence', async () => {
    const tab = await signedInTab()
    await tab.messenger.close()
    await (await navigator.storage.getDirectory()).removeEntry(`${scope}-device`, { recursive: true })
    const after = openTab()
    await until(() => expect(after.session()).toEqual({ kind: 'signed_out', why: 'storage_lost' }))
    expect(hasLocalDevice(scope)).toBe(false)
  })

  test('threw the database away, the next one to sign in hears which device was here; after a sign-out nobody does', async () => {
    const tab = await signedInTab()
    const state = tab.session()
    await tab.messenger.close()
    await (await navigator.storage.getDirectory()).removeEntry(`${scope}-device`, { recursive: true })
    const after = await signedInTab()
    await until(() => expect(seen).toContainEqual({ slot: state.kind === 'signed_in' ? state.device : '' }))
    await after.messenger.signOut()
    await after.messenger.close()
    seen = []
    await signedInTab()
    await until(() => expect(seen).toContainEqual({ slot: undefined }))
  })

  test('cannot load the worker, verbs say so and the page is told', async () => {
    const onTrouble = vi.fn()
    const messenger = openBrowserMessenger({ scope, onTrouble, createWorker: () => new Worker('/no-such-worker.js', { type: 'module' }) })
    await expect(messenger.sessions()).rejects.toMatchObject({ failure: 'internal' })
    expect(onTrouble).toHaveBeenCalledTimes(1)
  })

  test('forbids the worker, verbs say so and the page is told', async () => {
    const onTrouble = vi.fn()
    const createWorker = () => {
      throw new TypeError('This script address is not ours')
    }
    const messenger = openBrowserMessenger({ scope, onTrouble, createWorker })
    await expect(messenger.sessions()).rejects.toMatchObject({ failure: 'internal' })
    expect(onTrouble).toHaveBeenCalledTimes(1)
  })

  test('runs newer code in another tab, this one steps aside and says so', async () => {
    const tab = await signedInTab()
    const newer = new BroadcastChannel(`${scope}:device`)
    newer.postMessage({ version: 999, from: 'a newer tab', body: { type: 'who_leads' } })
    await until(() => expect(tab.onOutdated).toHaveBeenCalledTimes(1))
    await expect(tab.messenger.sessions()).rejects.toMatchObject({ failure: 'client_too_old' })
    await navigator.locks.request(`${scope}:device`, () => undefined)
    newer.close()
  })

  test('is asked to keep our storage, it answers yes or no', async () => {
    expect(typeof (await requestPersistence())).toBe('boolean')
  })
})

interface Tab {
  readonly messenger: PageMessenger
  readonly workers: number
  readonly onOutdated: ReturnType<typeof vi.fn>
  session(): SessionState
  lock(): LockState
  timeline(): ReturnType<typeof timelineOf>
  lines(): string[]
  write(text: string): Promise<unknown>
  watchAll(): void
  /** As when the tab is closed or crashes: its worker is gone without a word. */
  kill(): void
}

const timelineOf = (messenger: PageMessenger) => messenger.watch('timeline', notebook)

function openTab({ variant = '' } = {}): Tab {
  const workers: Worker[] = []
  const onOutdated = vi.fn()
  const messenger = openBrowserMessenger({
    scope,
    onOutdated,
    createWorker() {
      const worker = new Worker(new URL('./tabs.story-worker.ts', import.meta.url), { type: 'module', name: `${scope} ${variant}` })
      workers.push(worker)
      return worker
    },
  })
  const tab: Tab = {
    messenger,
    onOutdated,
    get workers() {
      return workers.length
    },
    session: () => messenger.watch('session').get(),
    lock: () => messenger.lock.state.get(),
    timeline: () => timelineOf(messenger),
    lines: () => (timelineOf(messenger).get()?.items ?? []).map((item) => (item.kind === 'message' ? item.text : '')),
    write: (text) => messenger.send({ conversation: notebook, text }),
    watchAll() {
      timelineOf(messenger).subscribe(() => undefined)
      messenger.watch('session').subscribe(() => undefined)
      messenger.lock.state.subscribe(() => undefined)
    },
    kill: () => workers.forEach((worker) => worker.terminate()),
  }
  tabs.add(tab)
  return tab
}

async function signedInTab(how: { variant?: string } = {}): Promise<Tab> {
  const tab = openTab(how)
  await tab.messenger.signIn({ handle: 'alice', password: 'x' })
  await until(() => expect(tab.session().kind).toBe('signed_in'))
  return tab
}

/** Another document of this origin writes down that there is a device; only then does the browser tell this one. */
function rememberedElsewhere(): void {
  const frame = document.body.appendChild(document.createElement('iframe'))
  const storage = frame.contentWindow?.localStorage
  storage?.removeItem(keyOfMemory(scope))
  storage?.setItem(keyOfMemory(scope), '1')
  frame.remove()
}

async function storedRecord(): Promise<{ wrapping: CryptoKey; iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer }> {
  const keys = await openDB(`${scope}-device`)
  try {
    return await keys.get('keys', 'database')
  } finally {
    keys.close()
  }
}

async function folders(): Promise<string[]> {
  const names: string[] = []
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name)
  return names
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 10 })
