/**
 * A browser loses everything it had for this site, and its owner comes back: by password, by passkey, by the printed kit, and when
 * nothing is left, by a code from the operator and a new key, which the other person sees. What they had is there again.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
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
let bob: Person
let steps: Counted
let bobsSteps: Counted

test.beforeAll(async ({ browser }) => {
  server = await startServerProcess()
  const arrive = (handle: string) => Person.arrive({ browser, url: server.url, handle, secrets })
  ;[alice, bob] = [await arrive('Alice'), await arrive('Bob')]
  ;[steps, bobsSteps] = [await countSteps(alice.context), await countSteps(bob.context)]
  await bob.addAuthenticator()
  await Promise.all([alice.signUpWithPassword(), bob.signUpWithPasskey()])
  await alice.startDirect('Bob', 'Bob')
  await alice.write('before anything was lost')
  await bob.accept('Alice')
  await bob.reads('before anything was lost')
})

test.afterAll(() => server?.dispose())

test('she gives Bob a name and begins a message; her storage is wiped; her password brings all of it back', async () => {
  const details = alice.page.getByRole('complementary', { name: 'Details' })
  await alice.page.getByRole('link', { name: 'Details' }).first().click()
  await details.getByRole('button', { name: 'Actions for Bob' }).click()
  await alice.page.getByRole('menuitem', { name: 'Give a name' }).click()
  await alice.page.getByRole('dialog').getByLabel('Name', { exact: true }).fill(secrets.keep('Builder Bob'))
  await inspect(alice.page, 'nickname')
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect(alice.row('Builder Bob')).toBeVisible()
  await alice.page.goto(server.url)
  await alice.open('Builder Bob')
  await alice.composer.fill(secrets.keep('half a thou'))
  await alice.page.goto(server.url)
  await expect(alice.row('Builder Bob').getByText('half a thou')).toBeVisible()
  await kept(alice)

  await wipe(alice)
  steps.begin()
  await alice.signInWithPassword({ handle: 'alice', password: alice.password })
  await alice.isHome()
  await expect(alice.row('Builder Bob').getByText('half a thou')).toBeVisible()
  await alice.open('Builder Bob')
  await alice.reads('before anything was lost')
  await expect(alice.composer).toHaveValue('half a thou')
  steps.tell('a wiped browser restored by password')
  await alice.composer.fill('')
  await alice.write('restored by password')
  await bob.reads('restored by password')
})

test('his storage is wiped, and his passkey brings everything back', async () => {
  await kept(bob)
  await wipe(bob)
  bobsSteps.begin()
  await bob.signInWithPasskey()
  await bob.isHome()
  await bob.open('Alice')
  await bob.reads('before anything was lost')
  bobsSteps.tell('a wiped browser restored by passkey')
  await bob.write('restored by passkey')
  await alice.reads('restored by passkey')
})

test('she makes a kit; her storage is wiped; the words on the page bring everything back', async () => {
  steps.begin()
  await alice.page.goto(`${server.url}/settings`)
  await inspect(alice.page, 'ways-to-sign-in')
  await alice.page.getByRole('link', { name: /^Recovery kit/ }).click()
  await alice.page.getByRole('button', { name: 'Make a recovery kit' }).click()
  const makeIt = alice.page.getByRole('button', { name: 'Make it now' })
  const password = alice.page.getByLabel('Password', { exact: true })
  // Signing in just now was proof enough; a slow machine is asked again.
  await expect(makeIt.or(password)).toBeVisible()
  if (await password.isVisible()) {
    await password.fill(alice.password)
    await alice.page.keyboard.press('Enter')
  }
  await makeIt.click()
  const words = alice.page.getByRole('list', { name: 'The twelve words' }).getByRole('listitem')
  await expect(words).toHaveCount(12)
  await expect(alice.page.getByRole('img', { name: 'The kit as a QR code' })).toBeVisible()
  await inspect(alice.page, 'recovery-kit')
  const typed = secrets.keep((await words.allInnerTexts()).join(' '))
  await alice.page.getByRole('button', { name: 'I have kept it' }).click()
  await expect(alice.page.getByText('Recovery kit', { exact: true })).toHaveCount(2)
  steps.tell('making a recovery kit')

  await wipe(alice)
  steps.begin()
  await alice.page.getByText('I already have an account').click()
  await alice.page.getByRole('button', { name: 'Use my recovery kit' }).click()
  await alice.page.getByLabel('The twelve words').fill(typed.replace(/\w+$/, 'heron'))
  await alice.page.keyboard.press('Enter')
  await expect(alice.page.getByRole('alert')).toContainText('not a word of a kit')
  await inspect(alice.page, 'kit-sign-in')
  await alice.page.getByLabel('The twelve words').fill(typed)
  await alice.page.keyboard.press('Enter')
  await alice.isHome()
  await alice.open('Builder Bob')
  await alice.reads('restored by passkey')
  steps.tell('a wiped browser restored by kit, with one word mistyped before')
  await alice.write('restored by kit')
  await bob.reads('restored by kit')
})

test('with no way left the operator gives a code; she begins anew, and Bob sees that her key changed', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-C', 'tacit-source', join(import.meta.dirname, '../packages/server/src/admin/main.ts'), 'recover', 'alice'],
    { env: { PATH: process.env['PATH'], TACIT_DATA_DIR: server.dataDir } },
  )
  const code = /([0-9A-Z]{4}-){4}[0-9A-Z]{4}/.exec(stdout)?.[0] ?? ''
  await wipe(alice)
  steps.begin()
  await alice.page.getByText('I already have an account').click()
  await alice.page.getByRole('button', { name: 'I have no way to sign in left' }).click()
  await alice.page.getByLabel('Handle').fill('Alice')
  await alice.page.getByLabel('Code', { exact: true }).fill(code)
  await alice.page.getByRole('button', { name: 'Go on' }).click()
  await expect(alice.page.getByRole('heading', { name: 'Begin anew' })).toBeVisible()
  await inspect(alice.page, 'begin-anew')
  await alice.page.getByLabel('Password', { exact: true }).fill(secrets.keep('a fresh beginning 4711'))
  await alice.page.getByRole('button', { name: 'Begin anew with this password' }).click()
  await alice.isHome()
  await alice.open('Bob')
  steps.tell('beginning anew with a code from the operator')
  await expect(bob.timeline.getByText(/key.*changed|changed.*key/i).first()).toBeVisible()
  await inspect(bob.page, 'reset-seen-by-peer')
  await alice.write('it is me, with another key')
  await bob.reads('it is me, with another key')
  await expect(alice.message('before anything was lost')).toHaveCount(0)
})

test('no name, draft, kit, password or word of theirs is in what the server kept', async () => {
  await expectNothingKept({ server, secrets, people: [alice, bob], found: 'Alice' })
})

/** The browser forgets everything of this site, as if somebody had cleared its data. */
async function wipe(person: Person): Promise<void> {
  await person.page.goto('about:blank')
  const session = await person.context.newCDPSession(person.page)
  await session.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'all' })
  await person.page.goto(server.url)
  await expect(person.page.getByRole('heading', { name: 'Create your account' })).toBeVisible()
}

/** What this browser had is on the server by now: its history in the archive, the rest in the vault. */
async function kept({ page }: Person): Promise<void> {
  await expect
    .poll(
      async () => {
        await page.goto(`${server.url}/settings/held`)
        await expect(page.getByText('vault_part')).toBeVisible()
        return page.locator('summary', { hasText: 'archive_segment' }).innerText()
      },
      { timeout: 60_000 },
    )
    .not.toMatch(/\b0 rows|no rows/i)
}
