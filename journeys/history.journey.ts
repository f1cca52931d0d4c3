/**
 * History in a real browser: a second, empty one signs in with the password; its person writes at once while older history comes
 * in, newest first; a message deleted on one is gone on both; a copy is saved and read back.
 */
import { readFile } from 'node:fs/promises'
import { expect, test, type Page } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { expectNothingKept } from './nothing-kept.ts'
import { Person, Secrets } from './person.ts'
import { countSteps } from './steps.ts'

test.describe.configure({ mode: 'serial' })

const OLD = 'an old word from the first days'
const NEW = 'the newest word before the second browser'

const secrets = new Secrets()
let server: ServerProcess
let alice: Person
let bob: Person
let second: Person

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  alice = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  bob = await Person.arrive({ browser, url: server.url, handle: 'Bob', secrets })
  await Promise.all([alice.signUpWithPassword(), bob.signUpWithPassword()])
})

test.afterAll(async () => {
  await server?.dispose()
})

/** Everything on this browser is in the archive. */
async function isArchived(person: Person): Promise<void> {
  await person.page.goto(`${server.url}/settings/history`)
  await expect(person.page.getByRole('switch', { name: 'Keep my history in the archive' })).toBeChecked()
  await expect(person.page.getByText(/^[1-9]\d* lines/)).toBeVisible()
  await expect(person.page.getByText(/not in it yet/)).toHaveCount(0)
}

test('what is said goes into the archive by itself, and the settings say what that costs', async () => {
  await alice.startDirect('Bob', 'Bob')
  await alice.write(OLD)
  await bob.accept('Alice')
  await bob.reads(OLD)
  await isArchived(alice)
  await expect(alice.page.getByText(/Whoever gets your password, passkey or recovery kit can read all that is in it/)).toBeVisible()
  await alice.open('Bob')
  await bob.write(NEW)
  await alice.reads(NEW)
  await isArchived(alice)
})

test('a second, empty browser writes at once, and the history comes in meanwhile', async ({ browser }) => {
  second = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  const steps = await countSteps(second.context)
  await second.page.reload()
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let asked = 0
  await second.context.route('**/v1/archive/segments/*', async (route) => {
    // The newest comes at once, everything older is on a slow line.
    if (++asked > 1) await released
    await route.continue()
  })
  steps.begin()
  await second.signInWithPassword({ handle: 'alice', password: alice.password })
  await second.isHome()
  await second.open('Bob')
  await expect(second.page.getByText(/Older history is coming in/)).toBeVisible()
  await second.write('I can write already')
  await bob.reads('I can write already')
  steps.tell('sign in on an empty browser and write')
  release()
  await second.reads(OLD)
  await second.reads(NEW)
  await expect(second.page.getByText(/Older history is coming in/)).toHaveCount(0)
  await expect(second.page.getByText(/This device joined here/)).toHaveCount(0)
  steps.tell('and all of the history is there')
  const shown = await second.timeline.innerText()
  expect([OLD, NEW, 'I can write already'].map((text) => shown.indexOf(text))).toEqual(
    [OLD, NEW, 'I can write already'].map((text) => shown.indexOf(text)).toSorted((one, other) => one - other),
  )
})

test('a message deleted for oneself goes from both browsers and stays with the other person', async () => {
  await alice.open('Bob')
  await alice.reads(OLD)
  await alice.message(OLD).hover()
  await rowOf(alice.page, OLD).getByRole('button', { name: 'Delete for me' }).click()
  await alice.page.getByRole('alertdialog').getByRole('button', { name: 'Delete for me' }).click()
  await expect(alice.message(OLD)).toHaveCount(0)
  await expect(second.message(OLD)).toHaveCount(0)
  await bob.reads(OLD)
})

test('a copy is a page that can be read, and read back, without anything twice', async () => {
  await alice.page.goto(`${server.url}/settings/history`)
  const [download] = await Promise.all([
    alice.page.waitForEvent('download'),
    alice.page.getByRole('button', { name: 'Save a copy' }).click(),
  ])
  const path = await download.path()
  const page = await readFile(path, 'utf8')
  expect(page).toContain(NEW)
  expect(page).not.toContain(OLD)
  await alice.page.locator('input[type=file]').setInputFiles({ name: 'history.html', mimeType: 'text/html', buffer: Buffer.from(page) })
  await expect(alice.page.getByText(/^0 lines were added/)).toBeVisible()
  await alice.page.locator('input[type=file]').setInputFiles({ name: 'x.html', mimeType: 'text/html', buffer: Buffer.from('<p>hello') })
  await expect(alice.page.getByText('This file is not a history from Tacit.')).toBeVisible()
  await expectNothingKept({ server, secrets, people: [alice, bob, second], found: 'Alice' })
})

/** The line of a message, with what can be done with it. */
const rowOf = (page: Page, text: string) =>
  page
    .getByRole('region', { name: /^Messages in/ })
    .locator('div')
    .filter({ hasText: text })
    .filter({ has: page.getByRole('button', { name: 'Delete for me' }) })
    .last()
