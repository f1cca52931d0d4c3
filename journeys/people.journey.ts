/**
 * The main job, in a real browser: people sign up, find each other, talk in twos and threes with a terminal among them,
 * go offline and come back, reload, open two tabs, come in from a second browser, leave. In the end everything that was
 * typed is looked for in what the server kept.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type Locator } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { expectNothingKept } from './nothing-kept.ts'
import { Person, Secrets, timelineOf } from './person.ts'
import { Terminal } from './terminal.ts'

test.describe.configure({ mode: 'serial' })

const secrets = new Secrets()
let server: ServerProcess
let home: string
let alice: Person
let bob: Person
let carol: Terminal

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  home = mkdtempSync(join(tmpdir(), 'tacit-journey-'))
  alice = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  bob = await Person.arrive({ browser, url: server.url, handle: 'Bob.Builder', secrets })
  carol = new Terminal({ home, url: server.url, handle: 'carol', secrets })
})

test.afterAll(async () => {
  await carol?.stopListening()
  await server?.dispose()
  if (home) rmSync(home, { recursive: true, force: true })
})

test('Alice signs up with a password, Bob with a passkey', async () => {
  await bob.addAuthenticator()
  await Promise.all([alice.signUpWithPassword(), bob.signUpWithPasskey()])
})

test('Alice finds Bob by his handle in any case and they talk; she sees what he has read', async () => {
  await alice.startDirect('BOB.BUILDER', 'Bob.Builder')
  await alice.write('the heron stands in the reeds')
  await bob.accept('Alice')
  await bob.reads('the heron stands in the reeds')
  await expect(alice.timeline.getByText('Read', { exact: true })).toHaveCount(1)
  await bob.composer.pressSequentially('it is', { delay: 30 })
  await expect(alice.page.getByText(/typing…/).first()).toBeVisible()
  await bob.write('it is waiting for the pike')
  await alice.reads('it is waiting for the pike')
})

test('they compare keys: the same number on both screens, and the code of one marks it for the other', async () => {
  const [hers, his] = [await alice.compareKeys('Bob.Builder'), await bob.compareKeys('Alice')]
  const groupsOf = (dialog: Locator) => dialog.getByRole('list', { name: 'Safety number' }).getByRole('listitem')
  await expect(groupsOf(hers)).toHaveCount(12)
  await expect(groupsOf(his)).toHaveText(await groupsOf(hers).allInnerTexts())
  await expect(his.getByRole('img', { name: /^Safety number as a code/ })).toBeVisible()
  await bob.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await his.getByText('Compare by text instead').click()
  await his.getByRole('button', { name: 'Copy my code' }).click()
  await expect(his.getByRole('button', { name: 'Copied' })).toBeVisible()
  const code = await bob.page.evaluate(() => navigator.clipboard.readText())
  await hers.getByText('Compare by text instead').click()
  const field = hers.getByLabel('Code of Bob.Builder')
  await field.fill(code.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')))
  await hers.getByRole('button', { name: 'Compare', exact: true }).click()
  await expect(hers.getByRole('alert')).toContainText('Do not write anything private')
  await field.fill(code)
  await hers.getByRole('button', { name: 'Compare', exact: true }).click()
  await expect(hers.getByText('You compared this number')).toBeVisible()
  for (const person of [alice, bob]) {
    await person.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    await person.page.getByRole('link', { name: 'Close details' }).click()
  }
  await expect(alice.page.getByTitle('Keys compared', { exact: true })).toBeVisible()
  await expect(bob.page.getByTitle('Keys compared', { exact: true })).toHaveCount(0)
})

test('a group of three with a terminal among them', async () => {
  await carol.signUp()
  await alice.createGroup('Herons of the north shore', ['bob.builder', 'carol'])
  carol.listen()
  await alice.write('three of us now')
  await carol.hears('three of us now')
  await bob.open('Herons of the north shore')
  await bob.reads('three of us now')
  await bob.write('good evening, both')
  await alice.reads('good evening, both')
  await carol.hears('good evening, both')
  await carol.stopListening()
  await carol.run(['accept', '@alice'])
  await carol.send('Herons of the north shore', 'greetings from a terminal')
  await alice.reads('greetings from a terminal')
  await bob.reads('greetings from a terminal')
})

test('three messages written offline survive a closed tab and arrive once, in order', async () => {
  await bob.open('Alice')
  await alice.open('Bob.Builder')
  await alice.context.setOffline(true)
  const offline = ['first while offline', 'second while offline', 'third while offline']
  for (const text of offline) await alice.write(text)
  for (const text of offline) await alice.reads(text)
  await expect(alice.page.getByText('You are offline. 3 messages wait to be sent.')).toBeVisible()
  await alice.closeTab()
  await alice.openTab()
  await alice.open('Bob.Builder')
  for (const text of offline) await alice.reads(text)
  await alice.context.setOffline(false)
  for (const text of offline) await bob.reads(text)
  const seen = await bob.timeline.getByText(/while offline$/).allInnerTexts()
  expect(seen).toEqual(offline)
  await expect(alice.page.getByText(/You are offline/)).toHaveCount(0)
})

test('a reload keeps everything and everybody signed in', async () => {
  await bob.page.reload()
  await bob.reads('the heron stands in the reeds')
  await bob.write('still here after a reload')
  await alice.reads('still here after a reload')
})

test('two tabs of one account show the same, and both can write', async () => {
  const path = new URL(alice.page.url()).pathname
  const second = await alice.anotherTab(path)
  const composer = second.getByRole('textbox', { name: /^Message to/ })
  await composer.fill(secrets.keep('written in the second tab'))
  await composer.press('Enter')
  await alice.reads('written in the second tab')
  await bob.reads('written in the second tab')
  await alice.write('and in the first')
  await expect(timelineOf(second).getByText('and in the first', { exact: true })).toHaveCount(1)
  await bob.write('seen from both')
  await alice.reads('seen from both')
  await expect(timelineOf(second).getByText('seen from both', { exact: true })).toHaveCount(1)
  // The tab that held the pen goes; the other takes over.
  await alice.closeTab()
  alice.page = second
  await alice.write('after the first tab closed')
  await bob.reads('after the first tab closed')
})

test('Alice comes in from a second, empty browser, finds her history and takes part', async ({ browser }) => {
  const elsewhere = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  await elsewhere.signInWithPassword({ handle: 'alice', password: alice.password })
  await elsewhere.isHome()
  await elsewhere.open('Bob.Builder')
  // What was written before it came is there: the archive brought it.
  await elsewhere.reads('after the first tab closed')
  await bob.write('do you see this on both?')
  await elsewhere.reads('do you see this on both?')
  await alice.reads('do you see this on both?')
  await elsewhere.write('on both, yes')
  await bob.reads('on both, yes')
  await alice.reads('on both, yes')
  expect(elsewhere.complaints).toEqual([])
  await elsewhere.signOut()
  expect(await kept(elsewhere)).toEqual({ files: [], databases: [], caches: 0, storage: 0 })
  await elsewhere.context.close()
})

test('somebody who leaves reads no more, and is gone from the list', async () => {
  await bob.open('Herons of the north shore')
  await bob.page
    .getByRole('button', { name: 'Details' })
    .or(bob.page.getByRole('link', { name: 'Details' }))
    .first()
    .click()
  await bob.page.getByRole('button', { name: 'Leave group' }).click()
  await bob.page.getByRole('alertdialog').getByRole('button', { name: 'Leave group' }).click()
  await alice.open('Herons of the north shore')
  await expect(alice.timeline.getByText('Bob.Builder left')).toBeVisible()
  await alice.write('only for two of us')
  expect(await carol.run(['history', 'Herons of the north shore'])).toContain('only for two of us')
  await expect(bob.page.getByText('only for two of us')).toHaveCount(0)
})

test('Alice removes Carol, brings her back and renames the group, all on screen', async () => {
  const details = () => alice.page.getByRole('complementary', { name: 'Details' })
  await alice.page.getByRole('link', { name: 'Details' }).first().click()
  await details().getByRole('button', { name: 'Actions for carol' }).click()
  await alice.page.getByRole('menuitem', { name: 'Remove from group' }).click()
  await alice.page.getByRole('alertdialog').getByRole('button', { name: 'Remove from group' }).click()
  await expect(alice.timeline.getByText('You removed carol')).toBeVisible()
  await alice.write('while carol is away')
  expect(await carol.run(['history', 'Herons of the north shore'])).not.toContain('while carol is away')

  await details().getByRole('button', { name: 'Add people' }).click()
  await alice.page.getByRole('dialog').getByLabel('Add by handle').fill('CAROL')
  await alice.page.getByRole('dialog').getByLabel('Add by handle').press('Enter')
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Add 1 person' }).click()
  await expect(alice.timeline.getByText('You added carol')).toHaveCount(2)
  await alice.write('welcome back, carol')
  await expect.poll(() => carol.run(['history', 'Herons of the north shore'])).toContain('welcome back, carol')

  await details().getByRole('button', { name: 'Rename group' }).click()
  await details().getByRole('textbox').fill(secrets.keep('Pikes of the south bay'))
  await details().getByRole('textbox').press('Enter')
  await expect(alice.row('Pikes of the south bay')).toBeVisible()
})

test('what is not open is counted, and who is online is seen only when both share it', async () => {
  await alice.open('Bob.Builder')
  await bob.page.goto(server.url)
  await bob.isHome()
  await alice.write('one for the counter')
  await alice.write('two for the counter')
  await expect(bob.row('Alice').getByText('2 unread messages')).toBeAttached()
  await bob.open('Alice')
  await expect(bob.row('Alice').getByText(/unread/)).toHaveCount(0)

  await bob.sharePresence()
  await expect(alice.row('Bob.Builder').getByText('online', { exact: true })).toHaveCount(0)
  await alice.sharePresence()
  await expect(alice.row('Bob.Builder').getByText('online', { exact: true })).toBeAttached()
  await bob.page.goto('about:blank')
  await expect(alice.row('Bob.Builder').getByText('online', { exact: true })).toHaveCount(0)
  await bob.page.goto(server.url)
})

test('Bob empties his browser and comes back with his passkey', async () => {
  await bob.signOut()
  expect(await kept(bob)).toEqual({ files: [], databases: [], caches: 0, storage: 0 })
  await bob.signInWithPasskey()
  await bob.isHome()
  await bob.open('Alice')
  await bob.reads('the heron stands in the reeds')
  await alice.open('Bob.Builder')
  await alice.write('welcome back, Bob')
  await bob.reads('welcome back, Bob')
  await bob.write('the key was in my finger')
  await alice.reads('the key was in my finger')
})

test('nothing that was typed is anywhere on the server, nor did a page complain', async () => {
  expect(secrets.all.size).toBeGreaterThan(15)
  await expectNothingKept({ server, secrets, people: [alice, bob], found: 'Alice' })
})

/** What this site still has in the browser. */
async function kept({ page }: Person): Promise<unknown> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const files: string[] = []
    for await (const name of root.keys()) files.push(name)
    const databases = (await indexedDB.databases()).map((database) => database.name ?? '')
    return { files, databases, caches: (await caches.keys()).length, storage: localStorage.length }
  })
}
