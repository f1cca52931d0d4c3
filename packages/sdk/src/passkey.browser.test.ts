import { cdp } from 'vitest/browser'
import type {} from '@vitest/browser-playwright'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { toBase64Url, type WebAuthnJson } from '@tacit/contract'
import { createPasskey, passkeysAreSupported, usePasskey } from './passkey.browser.ts'

let authenticator = ''
beforeAll(() => cdp().send('WebAuthn.enable', { enableUI: false }))
beforeEach(() => plugIn({ hasPrf: true }))
afterEach(async () => {
  vi.restoreAllMocks()
  await unplug()
})

describe('a passkey', () => {
  test('gives the same secret when it is made and whenever it is used', async () => {
    const made = await createPasskey(creation())
    const [once, twice] = [await usePasskey(request()), await usePasskey(request())]
    expect(made.prf).toHaveLength(32)
    expect(once.prf).toEqual(made.prf)
    expect(twice.prf).toEqual(made.prf)
    expect(once.response['id']).toBe(made.response['id'])
  })

  test('keeps its secret to the device: what goes to the server holds nothing of it', async () => {
    for (const { response, prf } of [await createPasskey(creation()), await usePasskey(request())]) {
      expect(response['clientExtensionResults']).toEqual({})
      const text = JSON.stringify(response)
      // A field of that name, that is: random bytes in base64url may have these three letters in a row.
      expect(text).not.toMatch(/"[^"]*prf[^"]*":/)
      expect(text).not.toContain(toBase64Url(prf))
      expect(text).not.toContain(String(Array.from(prf)))
    }
  })

  test('whose authenticator evaluates nothing at creation is used once right away, and gives the same secret', async () => {
    const create = navigator.credentials.create.bind(navigator.credentials)
    vi.spyOn(navigator.credentials, 'create').mockImplementation(async (options) => {
      const made = await create(options)
      if (made) Object.defineProperty(made, 'getClientExtensionResults', { value: () => ({ prf: { enabled: true } }) })
      return made
    })
    const get = vi.spyOn(navigator.credentials, 'get')
    const made = await createPasskey(creation())
    expect(get).toHaveBeenCalledTimes(1)
    expect(made.prf).toEqual((await usePasskey(request())).prf)
  })

  test('whose authenticator evaluates at creation is not asked for twice', async () => {
    const get = vi.spyOn(navigator.credentials, 'get')
    await createPasskey(creation())
    expect(get).not.toHaveBeenCalled()
  })

  test('of another person gives another secret', async () => {
    const [alice, bob] = [await createPasskey(creation()), await createPasskey(creation())]
    expect(alice.prf).not.toEqual(bob.prf)
  })

  test('on an authenticator that has no PRF is refused, because it could not unlock anything', async () => {
    await unplug()
    await plugIn({ hasPrf: false })
    await expect(createPasskey(creation())).rejects.toMatchObject({ failure: 'passkey_without_prf' })
    // The browser was told to forget it, so that nobody is offered a passkey that leads nowhere.
    await expect(usePasskey(request())).rejects.toMatchObject({ failure: 'passkey_cancelled' })
  })

  test('that was made without PRF is refused when it is used', async () => {
    await unplug()
    await plugIn({ hasPrf: false })
    await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(creation()) })
    await expect(usePasskey(request())).rejects.toMatchObject({ failure: 'passkey_without_prf' })
  })

  test('that its person does not confirm counts as cancelled', async () => {
    await unplug()
    await plugIn({ hasPrf: true, isUserVerified: false })
    await expect(createPasskey(creation())).rejects.toMatchObject({ failure: 'passkey_cancelled' })
  })

  test('options that are none are refused before anybody is asked', async () => {
    await expect(createPasskey({})).rejects.toMatchObject({ failure: 'malformed' })
    await expect(usePasskey({ challenge: 5 })).rejects.toMatchObject({ failure: 'malformed' })
  })
})

test('this browser has passkeys', () => expect(passkeysAreSupported()).toBe(true))

function creation() {
  return {
    challenge: random(32),
    rp: { id: location.hostname, name: 'Tacit' },
    user: { id: random(16), name: 'alice', displayName: 'alice' },
    pubKeyCredParams: [{ type: 'public-key' as const, alg: -7 }],
    authenticatorSelection: { residentKey: 'required' as const, userVerification: 'required' as const },
    timeout: 5000,
  }
}

function request(): WebAuthnJson {
  return { challenge: random(32), rpId: location.hostname, userVerification: 'required', timeout: 5000 }
}

const random = (length: number): string => toBase64Url(crypto.getRandomValues(new Uint8Array(length)))

async function plugIn({ hasPrf, isUserVerified = true }: { readonly hasPrf: boolean; readonly isUserVerified?: boolean }): Promise<void> {
  const { authenticatorId } = await cdp().send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      hasPrf,
      automaticPresenceSimulation: true,
    },
  })
  authenticator = authenticatorId
}

async function unplug(): Promise<void> {
  await cdp()
    .send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: authenticator })
    .catch(() => undefined)
}
