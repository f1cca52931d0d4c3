/**
 * The ways to sign in change, in one of two browsers: another password, after which the old one is refused; a passkey that opens an empty
 * browser; the password removed. The other browser goes on through all of it, and knows whom the first one blocks.
 */
import { expect, test } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { inspect } from './inspect.ts'
import { expectNothingKept } from './nothing-kept.ts'
import { Person, Secrets } from './person.ts'
import { countSteps, type Counted } from './steps.ts'

test.describe.configure({ mode: 'serial' })

const secrets = new Secrets()
let server: ServerProcess
let alice: Person
let tablet: Person
let bob: Person
let steps: Counted
const newer = secrets.keep('another phrase of alice 0815')

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  const arrive = (handle: string) => Person.arrive({ browser, url: server.url, handle, secrets })
  ;[alice, tablet, bob] = [await arrive('Alice'), await arrive('Alice'), await arrive('Bob')]
  steps = await countSteps(alice.context)
  await alice.page.reload()
  await alice.addAuthenticator()
  await alice.signUpWithPassword()
  await bob.signUpWithPassword()
  await tablet.signInWithPassword({ handle: 'alice', password: alice.password })
  await tablet.isHome()
  await alice.startDirect('Bob', 'Bob')
  await alice.write('before anything was changed')
  await bob.accept('Alice')
  await bob.reads('before anything was changed')
  await tablet.open('Bob')
})

test.afterAll(() => server?.dispose())

test('she changes her password: the old one is refused afterwards, the new one lets in, and her other browser goes on', async ({
  browser,
}) => {
  steps.begin()
  await alice.page.goto(`${server.url}/settings`)
  await alice.page.getByRole('button', { name: 'Change password' }).click()
  await prove(alice.password)
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByLabel('Password', { exact: true }).fill(newer)
  await inspect(alice.page, 'new-password')
  await dialog.getByRole('button', { name: 'Use this password from now on' }).click()
  await expect(dialog).toHaveCount(0)
  steps.tell('changing the password')

  const empty = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  await empty.signInWithPassword({ handle: 'alice', password: alice.password })
  await expect(empty.page.getByRole('alert')).toContainText('Handle and password do not fit together.')
  await empty.page.getByLabel('Password', { exact: true }).fill(newer)
  await empty.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await empty.isHome()
  await empty.open('Bob')
  await empty.signOut()
  await empty.context.close()

  await tablet.write('the tablet has noticed nothing')
  await bob.reads('the tablet has noticed nothing')
})

test('she adds a passkey, and it opens a browser that lost everything', async () => {
  steps.begin()
  await alice.page.goto(`${server.url}/settings`)
  await alice.page.getByRole('button', { name: 'Add a passkey' }).click()
  await prove(newer)
  const dialog = alice.page.getByRole('dialog')
  await inspect(alice.page, 'add-passkey')
  // A server that is busy for a moment says so, and the person presses again.
  await expect(async () => {
    await dialog.getByRole('button', { name: 'Add a passkey' }).click()
    await expect(dialog).toHaveCount(0, { timeout: 10_000 })
  }).toPass({ timeout: 60_000 })
  await expect(alice.page.getByRole('button', { name: 'Remove: Passkey' })).toBeVisible()
  steps.tell('adding a passkey')

  await alice.signOut()
  steps.begin()
  await alice.signInWithPasskey()
  await alice.isHome()
  await alice.open('Bob')
  await alice.reads('before anything was changed')
  steps.tell('an empty browser signed in with a passkey that was added later')
  await alice.write('the key is in my finger')
  await bob.reads('the key is in my finger')
})

test('she removes the password: it lets nobody in, the passkey stays and cannot be removed', async ({ browser }) => {
  steps.begin()
  await alice.page.goto(`${server.url}/settings`)
  await alice.page.getByRole('button', { name: 'Remove: Password' }).click()
  await prove(newer)
  const dialog = alice.page.getByRole('dialog')
  await inspect(alice.page, 'remove-way')
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(dialog).toHaveCount(0)
  steps.tell('removing a way to sign in')
  await expect(alice.page.getByRole('button', { name: /^Remove: / })).toHaveCount(0)
  await expect(alice.page.getByText('Passkey', { exact: true })).toBeVisible()

  const empty = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  await empty.signInWithPassword({ handle: 'alice', password: newer })
  await expect(empty.page.getByRole('alert')).toContainText('Handle and password do not fit together.')
  await empty.context.close()
  await bob.write('are you all still there?')
  await tablet.reads('are you all still there?')
})

test('whom she blocks in one browser is blocked in the other, until she unblocks them there', async () => {
  await alice.open('Bob')
  await alice.page.getByRole('link', { name: 'Details' }).first().click()
  await alice.page.getByRole('button', { name: 'Actions for Bob' }).click()
  await alice.page.getByRole('menuitem', { name: 'Block', exact: true }).click()
  await alice.page.getByRole('alertdialog').getByRole('button', { name: 'Block', exact: true }).click()
  await expect(alice.page.getByRole('complementary', { name: 'Details' }).getByText(/Blocked/)).toBeVisible()
  await tablet.page.getByRole('link', { name: 'Details' }).first().click()
  await expect(tablet.page.getByRole('complementary', { name: 'Details' }).getByText(/Blocked/)).toBeVisible()
  await tablet.page.getByRole('link', { name: 'Close details' }).click()
  await bob.write('why do you not answer?')
  // What is written after it arrives after it.
  await tablet.write('this is for nobody in particular')
  await bob.reads('this is for nobody in particular')
  for (const person of [alice, tablet]) {
    await person.reads('this is for nobody in particular')
    await expect(person.message('why do you not answer?')).toHaveCount(0)
  }
  await tablet.page.goto(`${server.url}/settings`)
  await tablet.page.getByRole('button', { name: 'Unblock Bob' }).click()
  await alice.reads('why do you not answer?')
})

test('nothing that was typed is anywhere on the server, nor did a page complain', async () => {
  await expectNothingKept({ server, secrets, people: [alice, tablet, bob], found: 'Alice' })
})

/** Who has just signed in has proved enough; a slow machine is asked again. */
async function prove(password: string): Promise<void> {
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByRole('button').last()).toBeVisible()
  await expect(dialog.getByText('Loading…')).toHaveCount(0)
  if ((await dialog.getByText(/^So that nobody else changes/).count()) === 0) return
  await dialog.getByLabel('Password', { exact: true }).fill(password)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await expect(dialog.getByText(/^So that nobody else changes/)).toHaveCount(0)
}
