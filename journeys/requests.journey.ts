/**
 * A stranger writes, and another one invites to a group: both wait apart, without noise, and learn nothing. One is taken up, one
 * is deleted, one is blocked; a second browser and one that was emptied know it, and the server knows nothing of it.
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
let eve: Person
let mallory: Person
let steps: Counted

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  const arrive = (handle: string) => Person.arrive({ browser, url: server.url, handle, secrets })
  ;[alice, tablet, eve, mallory] = [await arrive('Alice'), await arrive('Alice'), await arrive('Eve'), await arrive('Mallory')]
  steps = await countSteps(alice.context)
  await alice.page.reload()
  for (const person of [alice, eve, mallory]) await person.signUpWithPassword()
  await tablet.signInWithPassword({ handle: 'alice', password: alice.password })
  await tablet.isHome()
})

test.afterAll(() => server?.dispose())

test('a stranger who writes is one of the requests, in no list and no count; she reads it and they do not see that', async () => {
  await eve.startDirect('alice', 'Alice')
  await eve.write('we met at the lighthouse')
  await expect(alice.requests).toHaveText('1 request')
  await expect(alice.row('Eve')).toHaveCount(0)
  await expect(alice.page).not.toHaveTitle(/\(\d+\)/)
  await alice.openRequest('Eve')
  await alice.reads('we met at the lighthouse')
  await inspect(alice.page, 'request')
  await expect(alice.composer).toHaveCount(0)
  await eve.write('do you remember?')
  await alice.reads('do you remember?')
  await expect(eve.timeline.getByText('Sent', { exact: true })).not.toHaveCount(0)
  await expect(eve.timeline.getByText(/^(Delivered|Read)$/)).toHaveCount(0)
})

test('she accepts by keyboard, and both of her browsers have the conversation; now they see that she has read', async () => {
  steps.begin()
  await alice.page.getByRole('button', { name: 'Accept', exact: true }).focus()
  await alice.page.keyboard.press('Enter')
  await expect(alice.composer).toBeFocused()
  await alice.write('of course, the gulls')
  steps.tell('taking a request up and answering')
  await expect(alice.requests).toHaveCount(0)
  await eve.reads('of course, the gulls')
  await expect(eve.timeline.getByText('Read', { exact: true })).not.toHaveCount(0)
  await tablet.open('Eve')
  await tablet.reads('of course, the gulls')
})

test('an invitation shows neither the name nor the words of the group; deleted it is gone from both browsers, and she is out', async () => {
  await mallory.createGroup('Free money for everybody', ['alice'])
  await mallory.write('press here to win')
  await expect(tablet.requests).toHaveText('1 request')
  await alice.requests.click()
  await expect(alice.page.getByText('invites you to a group of 2')).toBeVisible()
  await expect(alice.page.getByText(/Free money|press here/)).toHaveCount(0)
  await inspect(alice.page, 'requests')
  await alice.openRequest('Mallory')
  await expect(alice.page.getByRole('heading', { name: 'Invitation to a group' })).toBeVisible()
  await inspect(alice.page, 'invitation')
  steps.begin()
  await alice.page.getByRole('button', { name: 'Delete', exact: true }).click()
  await alice.page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await expect(alice.page.getByText('Nobody is waiting for an answer.')).toBeVisible()
  steps.tell('deleting a request')
  await expect(tablet.requests).toHaveCount(0)
  await expect(mallory.timeline.getByText('Alice left')).toBeVisible()
})

test('who writes again is blocked on one browser, and is on the other', async () => {
  await mallory.startDirect('alice', 'Alice')
  await mallory.write('why did you leave?')
  await expect(alice.requests).toHaveText('1 request')
  await tablet.openRequest('Mallory')
  await tablet.page.getByRole('button', { name: 'Block', exact: true }).click()
  await tablet.page.getByRole('alertdialog').getByRole('button', { name: 'Block', exact: true }).click()
  await expect(tablet.requests).toHaveCount(0)
  await expect(alice.requests).toHaveCount(0)
  await alice.page.goto(`${server.url}/settings`)
  await expect(alice.page.getByRole('button', { name: 'Unblock Mallory' })).toBeVisible()
  await mallory.createGroup('Once more for Alice', ['alice'])
  await mallory.write('you cannot hide')
  await eve.write('is it quiet there?')
  await alice.page.goto(server.url)
  await alice.open('Eve')
  await alice.reads('is it quiet there?')
  await expect(alice.requests).toHaveCount(0)
})

test('an emptied browser knows it all again', async ({ browser }) => {
  await tablet.signOut()
  const anew = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets })
  await anew.signInWithPassword({ handle: 'alice', password: alice.password })
  await anew.isHome()
  await anew.open('Eve')
  await anew.reads('is it quiet there?')
  await expect(anew.requests).toHaveCount(0)
  await expect(anew.row('Mallory')).toHaveCount(0)
  expect(anew.complaints).toEqual([])
})

test('nothing that was typed is anywhere on the server, nor who was accepted or declined', async () => {
  // As her devices note it in the vault.
  secrets.keep(`talk/${new URL(alice.page.url()).pathname.split('/').at(-1)}`)
  await expectNothingKept({ server, secrets, people: [alice, eve, mallory], found: 'Alice' })
})
