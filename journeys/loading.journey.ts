/**
 * A page of which a piece does not come: never a blank window, nothing lost, and one click brings it back. Without the service
 * worker, which would have kept every piece.
 */
import { expect, test, type Page } from '@playwright/test'
import { startServerProcess, type ServerProcess } from '@tacit/testbed/server-process'
import { inspect } from './inspect.ts'
import { Person, Secrets } from './person.ts'

test.use({ serviceWorkers: 'block' })

let server: ServerProcess
const secrets = new Secrets()

test.beforeAll(async () => {
  server = await startServerProcess()
})
test.afterAll(() => server?.dispose())

/** Gives back what undoes it. */
async function without(page: Page, piece: string): Promise<() => Promise<void>> {
  const pattern = `**/assets/${piece}-*.js`
  await page.route(pattern, (route) => route.abort())
  return () => page.unroute(pattern)
}

const broken = (page: Page) => page.getByRole('heading', { name: 'This page did not come up whole' })
const again = (page: Page) => page.getByRole('button', { name: 'Load again' })

test('without its first script the page says how to go on', async ({ browser }) => {
  const page = await (await browser.newContext()).newPage()
  const mend = await without(page, 'main')
  await page.goto(server.url)
  const way = page.getByRole('link', { name: 'Load the page again' })
  await expect(way).toBeHidden()
  await expect(way).toBeVisible()
  await mend()
  await way.click()
  await expect(page.getByRole('button', { name: 'Use a password instead' })).toBeVisible()
  await page.context().close()
})

test('without the messenger behind the door, and without one of its rooms: nothing is lost, and the rest goes on', async ({ browser }) => {
  const ada = await Person.arrive({ browser, url: server.url, handle: 'Ada', secrets })
  const mendShell = await without(ada.page, 'shell')
  await ada.page.getByRole('button', { name: 'Use a password instead' }).click()
  await ada.page.getByLabel('Handle').fill(ada.handle)
  await ada.page.getByLabel('Password', { exact: true }).fill(ada.password)
  await ada.page.getByRole('button', { name: 'Create account' }).click()
  await expect(broken(ada.page)).toBeVisible()
  await inspect(ada.page, 'broken-page')
  await mendShell()
  await again(ada.page).click()
  await ada.isHome()

  const mendSettings = await without(ada.page, 'settings')
  await ada.page.getByRole('link', { name: 'Settings' }).click()
  await expect(broken(ada.page)).toBeVisible()
  await inspect(ada.page, 'broken-room')
  await ada.page.getByRole('link', { name: 'Back to conversations' }).click()
  await expect(broken(ada.page)).toHaveCount(0)
  await ada.isHome()
  await mendSettings()
  await ada.page.goBack()
  await again(ada.page).click()
  await expect(ada.page.getByRole('switch', { name: 'Show when I am online' })).toBeVisible()
  await ada.context.close()
})

test('without the words of its language the page speaks English', async ({ browser }) => {
  const page = await (await browser.newContext({ locale: 'de-DE' })).newPage()
  const mend = await without(page, 'de')
  await page.goto(server.url)
  await expect(page.getByRole('button', { name: 'Use a password instead' })).toBeVisible()
  await mend()
  await page.reload()
  await expect(page.getByRole('button', { name: 'Lieber ein Passwort' })).toBeVisible()
  await page.context().close()
})
