/** A person at a browser: what they see by role and name, what they do by click and key. */
import { expect, type Browser, type BrowserContext, type CDPSession, type Locator, type Page } from '@playwright/test'

/** Remembers everything secret that was ever typed, so that it can be looked for where it must not be. */
export class Secrets {
  readonly all = new Set<string>()
  keep(text: string): string {
    this.all.add(text)
    return text
  }
}

export interface PersonOptions {
  readonly browser: Browser
  readonly url: string
  readonly handle: string
  readonly secrets: Secrets
}

export class Person {
  readonly handle: string
  readonly password: string
  readonly context: BrowserContext
  /** What the page complained about: content policy, uncaught errors. */
  readonly complaints: string[] = []
  page: Page
  readonly #url: string
  readonly #secrets: Secrets

  /** A fresh browser, at the first page. */
  static async arrive({ browser, url, handle, secrets }: PersonOptions): Promise<Person> {
    const context = await browser.newContext()
    const person = new Person({ context, page: await context.newPage(), url, handle, secrets })
    await person.page.goto(url)
    return person
  }

  private constructor(made: { context: BrowserContext; page: Page; url: string; handle: string; secrets: Secrets }) {
    this.context = made.context
    this.page = made.page
    this.#url = made.url
    this.#secrets = made.secrets
    this.handle = made.handle
    this.password = made.secrets.keep(`secret phrase of ${made.handle.toLowerCase()} 4711`)
    this.#watch(made.page)
  }

  async signUpWithPassword(): Promise<void> {
    await this.page.getByRole('button', { name: 'Use a password instead' }).click()
    await this.page.getByLabel('Handle').fill(this.handle)
    await this.page.getByLabel('Password', { exact: true }).fill(this.password)
    await this.page.getByRole('button', { name: 'Create account' }).click()
    await this.isHome()
  }

  async signUpWithPasskey(): Promise<void> {
    await this.page.getByLabel('Handle').fill(this.handle)
    await this.page.getByRole('button', { name: 'Continue with a passkey' }).click()
    await this.isHome()
  }

  async signInWithPassword({ handle, password }: { handle: string; password: string }): Promise<void> {
    await this.page.getByText('I already have an account').click()
    await this.page.getByLabel('Handle').fill(handle)
    await this.page.getByLabel('Password', { exact: true }).fill(password)
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  async signInWithPasskey(): Promise<void> {
    await this.page.goto(`${this.#url}/sign-in`)
    await this.page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  }

  async sharePresence(): Promise<void> {
    await this.page.goto(`${this.#url}/settings`)
    await this.page.getByRole('switch', { name: 'Show when I am online' }).click()
    await expect(this.page.getByRole('switch', { name: 'Show when I am online' })).toBeChecked()
  }

  async signOut(): Promise<void> {
    await this.page.goto(`${this.#url}/settings`)
    await this.page.getByRole('button', { name: 'Sign out' }).click()
    await this.page.getByRole('button', { name: 'Sign out and delete' }).click()
    await expect(this.page.getByText(/You are signed out/)).toBeVisible()
  }

  /** An authenticator in this browser that knows its owner and can derive secrets (WebAuthn PRF). */
  async addAuthenticator(): Promise<CDPSession> {
    const session = await this.context.newCDPSession(this.page)
    await session.send('WebAuthn.enable')
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        hasPrf: true,
        automaticPresenceSimulation: true,
      },
    })
    return session
  }

  async isHome(): Promise<void> {
    await expect(this.page.getByRole('link', { name: 'Settings' }).or(this.page.getByRole('button', { name: 'Settings' }))).toBeVisible()
  }

  async startDirect(handle: string, shown: string): Promise<void> {
    await this.page.goto(`${this.#url}/new`)
    await this.page.getByLabel('Their handle').fill(handle)
    await this.page.getByRole('button', { name: 'Find', exact: true }).click()
    await expect(this.page.getByText(shown, { exact: true })).toBeVisible()
    await this.page.getByRole('button', { name: 'Start chat' }).click()
    await expect(this.composer).toBeVisible()
  }

  async createGroup(title: string, handles: readonly string[]): Promise<void> {
    this.#secrets.keep(title)
    await this.page.goto(`${this.#url}/new/group`)
    await this.page.getByLabel('Name of the group').fill(title)
    for (const handle of handles) {
      await this.page.getByLabel('Add by handle').fill(handle)
      await this.page.getByLabel('Add by handle').press('Enter')
      await expect(this.page.getByRole('list', { name: 'People to add' }).getByText(handle, { exact: false })).toBeVisible()
    }
    await this.page.getByRole('button', { name: /^Create group/ }).click()
    await expect(this.composer).toBeVisible()
  }

  /** Opens the window for comparing keys, from the conversation that is open. */
  async compareKeys(handle: string): Promise<Locator> {
    await this.page.getByRole('link', { name: 'Details' }).first().click()
    await this.page.getByRole('button', { name: `Compare keys with ${handle}` }).click()
    return this.page.getByRole('dialog', { name: `Compare keys with ${handle}` })
  }

  /** Opens a conversation from the list. */
  async open(title: string): Promise<void> {
    await this.row(title).click()
    await expect(this.composer).toBeVisible()
  }

  /** Opens what somebody began who was not talked to before, and takes it up. */
  async accept(handle: string): Promise<void> {
    await this.openRequest(handle)
    await this.page.getByRole('button', { name: 'Accept', exact: true }).click()
    await expect(this.composer).toBeVisible()
  }

  async openRequest(handle: string): Promise<void> {
    await this.requests.click()
    await this.page
      .getByRole('link', { name: handle })
      .filter({ hasText: /wants to write|invites you/ })
      .click()
    await expect(this.page.getByRole('region', { name: 'Your answer' })).toBeVisible()
  }

  /** The way to those who wait for an answer; there while somebody does. */
  get requests(): Locator {
    return this.page.getByRole('link', { name: /^\d+ requests?$/ })
  }

  async write(text: string): Promise<void> {
    this.#secrets.keep(text)
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** The message is shown, once. */
  async reads(text: string): Promise<void> {
    await expect(this.message(text)).toHaveCount(1)
  }

  row(title: string): Locator {
    return this.page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link')
      .filter({ has: this.page.getByText(title, { exact: true }) })
  }

  message(text: string): Locator {
    return this.timeline.getByText(text, { exact: true })
  }

  get timeline(): Locator {
    return timelineOf(this.page)
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to/ })
  }

  /** Another tab of the same browser. */
  async anotherTab(path = '/'): Promise<Page> {
    const page = await this.context.newPage()
    this.#watch(page)
    await page.goto(this.#url + path)
    return page
  }

  async closeTab(): Promise<void> {
    await this.page.close()
  }

  async openTab(path = '/'): Promise<void> {
    this.page = await this.anotherTab(path)
  }

  #watch(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(`${this.handle}: ${error.message}`))
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted ?Type/i.test(message.text())) this.complaints.push(`${this.handle}: ${message.text()}`)
    })
  }
}

/** The messages of the conversation that a tab shows. */
export const timelineOf = (page: Page): Locator => page.getByRole('region', { name: /^Messages in/ })
