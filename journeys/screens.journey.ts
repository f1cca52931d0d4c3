/**
 * The same screens at 360 and 1280 pixels, light and dark: nothing sticks out, the keyboard reaches everything, and the
 * accessibility rules that a machine can check hold. With SCREENS set to a folder, what is seen is kept there.
 */
import { expect, test } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { inspect } from './inspect.ts'
import { Person, Secrets } from './person.ts'

test.describe.configure({ mode: 'serial' })

let server: ServerProcess
let ada: Person
let ben: Person

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  const secrets = new Secrets()
  ada = await Person.arrive({ browser, url: server.url, handle: 'Ada', secrets })
  ben = await Person.arrive({ browser, url: server.url, handle: 'Ben', secrets })
})

test.afterAll(() => server?.dispose())

test('the door', async () => {
  await inspect(ada.page, 'door')
})

test('a conversation, its details, and a group', async () => {
  await ada.signUpWithPassword()
  await ben.signUpWithPassword()
  await ada.startDirect('ben', 'Ben')
  await ada.write('Did the parcel arrive?')
  await ben.accept('Ada')
  await ben.write('This morning. The cups are all in one piece 🎉')
  await ben.write('I put the blue one aside for you')
  await ada.reads('I put the blue one aside for you')
  await ada.write('Thank you! See you on Sunday then — https://example.org/tea')
  await ada.createGroup('Sunday tea', ['ben'])
  await ada.write('Who brings the cake?')
  await ben.open('Sunday tea')
  await ben.write('I do. Apple.')
  await ada.reads('I do. Apple.')
  await ada.page.getByRole('link', { name: 'Details' }).first().click()
  await inspect(ada.page, 'group-details')
  await ada.page.getByRole('button', { name: 'Compare keys with Ben' }).click()
  await expect(ada.page.getByRole('list', { name: 'Safety number' })).toBeVisible()
  await inspect(ada.page, 'safety-number')
  await ada.page.getByRole('button', { name: 'We see the same number' }).click()
  await ada.page.getByRole('button', { name: 'Close', exact: true }).click()
  await ada.page.getByText('End-to-end encrypted').click()
  await expect(ada.page.getByRole('list', { name: 'Number of this conversation' })).toBeVisible()
  await inspect(ada.page, 'group-encryption')
  await ada.page.goto(server.url)
  await inspect(ada.page, 'list')
  await ada.open('Ben')
  await inspect(ada.page, 'conversation')
})

test('offline, with something that waits', async () => {
  await ada.context.setOffline(true)
  await ada.write('See you at three')
  await ada.write('I bring the plates')
  await expect(ada.page.getByText('You are offline. 2 messages wait to be sent.')).toBeVisible()
  await inspect(ada.page, 'offline')
  await ada.context.setOffline(false)
  await ben.open('Ada')
  await ben.reads('I bring the plates')
})

test('settings, a new chat, a new group', async () => {
  for (const [name, path] of [
    ['settings', '/settings'],
    ['held', '/settings/held'],
    ['new-chat', '/new'],
    ['new-group', '/new/group'],
  ] as const) {
    await ada.page.goto(server.url + path)
    await inspect(ada.page, name)
  }
})

test('what the server knows, row by row', async () => {
  await ada.page.goto(`${server.url}/settings`)
  await ada.page.getByRole('link', { name: /What this server knows about me/ }).click()
  await ada.page.getByText('passkey_credential').click()
  const account = ada.page
    .locator('details')
    .filter({ has: ada.page.getByText('account', { exact: true }) })
    .first()
  await account.locator('summary').click()
  await account.getByRole('button', { name: 'Show the rows' }).click()
  await expect(account.getByText('Ada', { exact: true })).toBeVisible()
  await inspect(ada.page, 'held-rows')
})

test('the whole way to a message by keyboard alone', async () => {
  await ada.page.setViewportSize({ width: 1280, height: 800 })
  await ada.page.goto(server.url)
  await ada.isHome()
  await ada.page.keyboard.press('Control+k')
  await expect(ada.page.getByRole('combobox', { name: 'Find a conversation' })).toBeFocused()
  await ada.page.keyboard.type('Ben')
  await ada.page.keyboard.press('Enter')
  await expect(ada.composer).toBeFocused()
  await ada.page.keyboard.type('typed without a mouse')
  await ada.page.keyboard.press('Enter')
  await ben.open('Ada')
  await ben.reads('typed without a mouse')
})

test('no screen broke the content policy', () => {
  expect([...ada.complaints, ...ben.complaints]).toEqual([])
})
