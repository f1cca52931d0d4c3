/** The app lock in a real browser: set up, closed by hand and by opening the app again, opened, forgotten. */
import { expect, test } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { expectNothingKept } from './nothing-kept.ts'
import { Person, Secrets } from './person.ts'
import { countSteps, type Counted } from './steps.ts'

test.describe.configure({ mode: 'serial' })

const PIN = '271828'
const TEXT = 'the key lies under the third stone'

let server: ServerProcess
let alice: Person
let bob: Person
let steps: Counted

const secrets = new Secrets()

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  alice = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  bob = await Person.arrive({ browser, url: server.url, handle: 'Bob', secrets })
  steps = await countSteps(alice.context)
  await Promise.all([alice.signUpWithPassword(), bob.signUpWithPassword()])
  await alice.startDirect('Bob', 'Bob')
  await alice.write(TEXT)
  await bob.accept('Alice')
  await bob.reads(TEXT)
})

test.afterAll(async () => {
  await server?.dispose()
})

test('she locks the app with a PIN; opened again it shows nothing before the PIN, not even a name', async () => {
  steps.begin()
  await alice.page.goto(`${server.url}/settings`)
  await alice.page.getByRole('button', { name: 'Set up a lock' }).click()
  const dialog = alice.page.getByRole('dialog', { name: 'Set up a lock' })
  await dialog.getByLabel('New PIN or phrase').fill(PIN)
  await dialog.getByLabel('Once more').fill(PIN)
  await dialog.getByRole('button', { name: 'Use this lock' }).click()
  await expect(dialog).toBeHidden()
  await expect(alice.page.getByText('Closed by a PIN')).toBeVisible()
  steps.tell('setting up the app lock')

  await alice.page.goto(server.url)
  await expect(alice.page.getByRole('heading', { name: 'Locked' })).toBeVisible()
  await expect(alice.page.locator('body')).not.toContainText(/Bob|Alice/)
  await alice.page.getByLabel('PIN or phrase').fill('000000')
  await alice.page.getByRole('button', { name: 'Unlock' }).click()
  await expect(alice.page.getByRole('alert')).toContainText('That does not open the lock.')
  await alice.page.getByLabel('PIN or phrase').fill(PIN)
  await alice.page.keyboard.press('Enter')
  await alice.open('Bob')
  await alice.reads(TEXT)
})

test('two tabs close at once by the keyboard, and what came meanwhile is there when they open', async () => {
  const other = await alice.anotherTab()
  await expect(other.getByRole('link', { name: 'Settings' })).toBeVisible()
  await alice.page.keyboard.press('Control+Shift+L')
  for (const page of [alice.page, other]) {
    await expect(page.getByRole('heading', { name: 'Locked' })).toBeVisible()
    await expect(page.locator('body')).not.toContainText(TEXT)
  }
  await bob.write('I looked, and it was there')
  steps.begin()
  await other.getByLabel('PIN or phrase').fill(PIN)
  await other.getByRole('button', { name: 'Unlock' }).click()
  await alice.reads('I looked, and it was there')
  steps.tell('opening the lock, until the message that came meanwhile is read')
  await other.close()
})

test('a passkey takes the place of the PIN', async () => {
  await alice.addAuthenticator()
  steps.begin()
  await alice.page.getByRole('link', { name: 'Settings' }).first().click()
  await alice.page.getByRole('button', { name: 'Change the lock' }).click()
  const dialog = alice.page.getByRole('dialog', { name: 'Change the lock' })
  await dialog.getByLabel('PIN or phrase until now').fill(PIN)
  await dialog.getByRole('radio', { name: /passkey/ }).check()
  await dialog.getByRole('button', { name: 'Use this lock' }).click()
  await expect(alice.page.getByText('Closed by a passkey')).toBeVisible()
  steps.tell('changing the lock to a passkey')
  await alice.page.getByRole('button', { name: 'Lock now' }).click()
  await alice.page.getByRole('button', { name: 'Unlock with passkey' }).click()
  await expect(alice.page.getByText('Closed by a passkey')).toBeVisible()
})

test('who cannot open it clears the browser and signs in again', async () => {
  await alice.page.getByRole('button', { name: 'Lock now' }).click()
  steps.begin()
  await alice.page.getByRole('button', { name: 'I cannot open it' }).click()
  await alice.page.getByRole('button', { name: 'Clear this browser' }).click()
  await expect(alice.page.getByText(/You are signed out/)).toBeVisible()
  await alice.page.getByLabel('Handle').fill('Alice')
  await alice.page.getByLabel('Password', { exact: true }).fill(alice.password)
  await alice.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(alice.row('Bob')).toBeVisible()
  steps.tell('clearing a browser that cannot be opened, and signing in again')
  await alice.page.goto(`${server.url}/settings`)
  // The browser took its old place: there is one device, not two.
  await expect(alice.page.getByText('This device', { exact: true })).toBeVisible()
  await expect(alice.page.getByText(/on Linux$/)).toHaveCount(1)
  await expectNothingKept({ server, secrets, people: [alice, bob], found: 'Alice' })
})
