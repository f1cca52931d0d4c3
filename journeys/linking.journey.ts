/**
 * A second browser is let in by the first: by a typed code, and by a code that the camera sees. It has the conversations; removed,
 * it can neither read nor send. The camera is a canvas that shows what the other screen shows.
 */
import { expect, test, type Locator, type Page } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { inspect } from './inspect.ts'
import { expectNothingKept } from './nothing-kept.ts'
import { Person, Secrets } from './person.ts'
import { countSteps, type Counted } from './steps.ts'

test.describe.configure({ mode: 'serial' })

const secrets = new Secrets()
let server: ServerProcess
let alice: Person
let bob: Person
let tablet: Person
let phone: Person
let steps: Counted

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  const arrive = (handle: string) => Person.arrive({ browser, url: server.url, handle, secrets })
  alice = await arrive('Alice')
  bob = await arrive('Bob')
  tablet = await arrive('Alice')
  phone = await arrive('Alice')
  steps = await countSteps(alice.context)
  await Promise.all([alice.signUpWithPassword(), bob.signUpWithPassword()])
  await alice.startDirect('Bob', 'Bob')
  await alice.write('before there was a tablet')
  await bob.accept('Alice')
  await bob.reads('before there was a tablet')
})

test.afterAll(() => server?.dispose())

test('she links a tablet by the code that it shows, and it has her conversations', async () => {
  steps.begin()
  await alice.page.goto(`${server.url}/settings`)
  await alice.page.getByRole('button', { name: 'Link a new device' }).click()
  const dialog = alice.page.getByRole('dialog', { name: 'Link a new device' })
  await dialog.getByLabel('Password', { exact: true }).fill(alice.password)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  const code = await showCode(tablet.page)
  await dialog.getByLabel('Code of the new device').fill(code.toLowerCase())
  await dialog.getByRole('button', { name: 'Continue' }).click()
  expect(await digitsOn(tablet.page)).toBe(await digitsOn(alice.page))
  await dialog.getByRole('button', { name: 'They are the same' }).click()
  await expect(dialog.getByText('Your new device is in')).toBeVisible()
  await tablet.isHome()
  await tablet.open('Bob')
  steps.tell('linking a device by typed code, until a conversation is open on it (and two steps there)')
  await bob.write('is the tablet there?')
  await tablet.reads('is the tablet there?')
  await tablet.write('the tablet lies on the piano')
  await bob.reads('the tablet lies on the piano')
  await expect(bob.timeline.getByText(/new device/i)).not.toHaveCount(0)
})

test('her first browser says that there is a new device, until she says that she knows', async () => {
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Done' }).click()
  await expect(alice.page.getByText('A new device has joined your account.')).toBeVisible()
  await inspect(alice.page, 'devices')
  await alice.page.goto(server.url)
  await expect(alice.page.getByText('A new device has joined your account.')).toBeVisible()
  await alice.page.getByRole('button', { name: 'I know about it' }).click()
  await expect(alice.page.getByText('A new device has joined your account.')).toHaveCount(0)
})

test('she links a phone by its code in front of the camera', async () => {
  await showCode(phone.page)
  await pretendCamera(alice.page, phone.page.getByRole('img', { name: 'Code for the camera of your other device' }))
  await alice.page.getByRole('link', { name: 'Settings' }).first().click()
  steps.begin()
  await alice.page.getByRole('button', { name: 'Link a new device' }).click()
  const dialog = alice.page.getByRole('dialog', { name: 'Link a new device' })
  await dialog.getByLabel('Password', { exact: true }).fill(alice.password)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await dialog.getByRole('button', { name: 'Scan the code' }).click()
  expect(await digitsOn(phone.page)).toBe(await digitsOn(alice.page))
  await dialog.getByRole('button', { name: 'They are the same' }).click()
  await expect(dialog.getByText('Your new device is in')).toBeVisible()
  steps.tell('linking a device by camera')
  await dialog.getByRole('button', { name: 'Done' }).click()
  await phone.isHome()
  await phone.open('Bob')
})

test('a code that was cancelled says so, and numbers that differ are cancelled on both sides', async ({ browser }) => {
  // Six screens are looked at, each at two sizes and in two colours.
  test.slow()
  const stranger = await Person.arrive({ browser, url: server.url, handle: 'Alice', secrets: new Secrets() })
  const cancelled = await showCode(stranger.page)
  await inspect(stranger.page, 'link-code')
  await stranger.page.getByRole('button', { name: 'Back' }).click()
  await alice.page.getByRole('button', { name: 'Link a new device' }).click()
  const dialog = alice.page.getByRole('dialog', { name: 'Link a new device' })
  await inspect(alice.page, 'link-prove')
  await dialog.getByLabel('Password', { exact: true }).fill(alice.password)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await dialog.getByLabel('Code of the new device').fill(cancelled)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await expect(dialog.getByRole('alert').first()).toContainText('The other device has cancelled.')
  await inspect(alice.page, 'link-bring')

  await stranger.page.getByRole('button', { name: 'Use another device of mine' }).click()
  await dialog.getByLabel('Code of the new device').fill(await codeOn(stranger.page))
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await digitsOn(alice.page)
  await inspect(alice.page, 'link-compare')
  await inspect(stranger.page, 'link-compare-new')
  await dialog.getByRole('button', { name: 'They differ' }).click()
  await expect(dialog.getByText(/because the numbers differed/)).toBeVisible()
  await expect(stranger.page.getByText('The other device has cancelled.')).toBeVisible()
  await inspect(stranger.page, 'link-over')
  await alice.page.getByRole('button', { name: 'Close', exact: true }).click()
  await stranger.context.close()
})

test('she names the tablet and removes it: it can neither read nor send any more', async () => {
  const others = alice.page.getByRole('button', { name: /^Remove / })
  await expect(others).toHaveCount(2)
  await tablet.page.goto(`${server.url}/settings`)
  const mine = tablet.page.getByRole('listitem').filter({ hasText: 'This device' })
  await mine.getByRole('button', { name: /^Rename / }).click()
  await tablet.page.getByLabel('Name', { exact: true }).fill('Kitchen tablet')
  await tablet.page.getByRole('dialog').getByRole('button', { name: 'Rename', exact: true }).click()
  await expect(mine.getByText('Kitchen tablet')).toBeVisible()
  await tablet.page.goto(server.url)
  await tablet.open('Bob')

  await alice.page.goto(`${server.url}/settings`)
  steps.begin()
  await alice.page.getByRole('button', { name: 'Remove Kitchen tablet' }).click()
  await inspect(alice.page, 'remove-device')
  await alice.page.getByRole('button', { name: 'Remove it' }).click()
  const password = alice.page.getByRole('dialog').getByLabel('Password', { exact: true })
  await expect(alice.page.getByRole('button', { name: 'Remove Kitchen tablet' }).or(password).first()).toBeHidden()
  await expect(others).toHaveCount(1)
  steps.tell('removing a device')

  await expect(tablet.page.getByText(/Sign in again/)).toBeVisible()
  await tablet.write('do you still hear me?')
  await bob.write('only for those who are still in')
  await phone.reads('only for those who are still in')
  await expect(tablet.message('only for those who are still in')).toHaveCount(0)
  await expect(bob.message('do you still hear me?')).toHaveCount(0)
})

test('two people who are together compare keys by camera', async () => {
  await bob.page.goto(server.url)
  await bob.open('Alice')
  const his = await bob.compareKeys('Alice')
  await expect(his.getByRole('img', { name: /^Safety number as a code/ })).toBeVisible()
  await alice.page.goto(server.url)
  await alice.open('Bob')
  await pretendCamera(alice.page, his.getByRole('img', { name: /^Safety number as a code/ }))
  const hers = await alice.compareKeys('Bob')
  await hers.getByRole('button', { name: 'Scan the code of Bob' }).click()
  await expect(hers.getByText('You compared this number')).toBeVisible()
})

test('no screen broke the content policy, and nothing that was typed is anywhere on the server', async () => {
  await expectNothingKept({ server, secrets, people: [alice, bob, tablet, phone], found: 'Alice' })
})

/** Opens the door's way in by another device; the code that is shown. */
async function showCode(page: Page): Promise<string> {
  await page.getByText('I already have an account').click()
  await page.getByRole('button', { name: 'Use another device of mine' }).click()
  return codeOn(page)
}

async function codeOn(page: Page): Promise<string> {
  return (await page.getByLabel('Code to type').textContent()) ?? ''
}

async function digitsOn(page: Page): Promise<string> {
  return (await page.getByLabel(/^Number to compare/).textContent()) ?? ''
}

/** Whoever asks for a camera on `page` sees the code that is shown, with some room around it. */
async function pretendCamera(page: Page, shown: Locator): Promise<void> {
  const picture = (await shown.screenshot()).toString('base64')
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const code = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width: 640, height: 480 })
    const context = canvas.getContext('2d')
    const draw = () => {
      context?.fillRect(0, 0, 640, 480)
      context?.drawImage(code, 200, 120, 240, 240)
      requestAnimationFrame(draw)
    }
    draw()
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(10)
  }, picture)
}
