import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConversationId } from '@tacit/contract'
import type { Messenger, SessionState } from '../api.ts'
import { hasLocalDevice, openBrowserMessenger, requestPersistence } from '../browser.ts'
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
  localStorage.removeItem(keyOfMemory(scope))
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
    expect(seen).toContain('closed')
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

describe('when the browser', () => {
  test('threw the database away, the page says so instead of beginning anew in silence', async () => {
    const tab = await signedInTab()
    await tab.messenger.close()
    await (await navigator.storage.getDirectory()).removeEntry(`${scope}-device`, { recursive: true })
    const after = openTab()
    await until(() => expect(after.session()).toEqual({ kind: 'signed_out', why: 'storage_lost' }))
    expect(hasLocalDevice(scope)).toBe(false)
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
  readonly messenger: Messenger
  readonly workers: number
  readonly onOutdated: ReturnType<typeof vi.fn>
  session(): SessionState
  timeline(): ReturnType<typeof timelineOf>
  lines(): string[]
  write(text: string): Promise<unknown>
  watchAll(): void
  /** As when the tab is closed or crashes: its worker is gone without a word. */
  kill(): void
}

const timelineOf = (messenger: Messenger) => messenger.watch('timeline', notebook)

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
    timeline: () => timelineOf(messenger),
    lines: () => (timelineOf(messenger).get()?.items ?? []).map((item) => (item.kind === 'message' ? item.text : '')),
    write: (text) => messenger.send({ conversation: notebook, text }),
    watchAll() {
      timelineOf(messenger).subscribe(() => undefined)
      messenger.watch('session').subscribe(() => undefined)
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

async function folders(): Promise<string[]> {
  const names: string[] = []
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name)
  return names
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 10 })
