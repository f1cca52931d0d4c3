/** The verbs by which a person makes sure who they are talking to, and what the server holds. */
import { routes, type AccountId } from '@tacit/contract'
import { MessengerError, type Verbs } from './api.ts'
import type { Device } from './device.ts'
import { isCompared } from './devices/people.store.ts'
import { compareCode, conversationDigits, safetyCode, safetyDigits, type Identity } from './devices/safety-number.ts'
import { allEvidence } from './transparency/key-log.store.ts'
import { sameOf } from './vault/contacts.ts'
import type { SignedIn } from './verbs.ts'

type TrustVerbs = Pick<
  Verbs,
  'safetyNumber' | 'compareSafetyCode' | 'setCompared' | 'conversationNumber' | 'keyLogEvidence' | 'securityEvents' | 'held' | 'heldRows'
>

export function trustVerbs(signedIn: () => SignedIn): TrustVerbs {
  const both = async (account: AccountId) => {
    const { device, self } = signedIn()
    return { mine: { account: self.account, accountKey: self.accountKey }, theirs: await identityOf(device, account) }
  }
  const setCompared: TrustVerbs['setCompared'] = async ({ account, same }) => {
    const { device } = signedIn()
    const { accountKey } = await identityOf(device, account)
    await device.shared.set('people', { [sameOf(account)]: same ? accountKey : undefined })
  }
  return {
    setCompared,
    async safetyNumber({ account }) {
      const { store } = signedIn().device.core
      const { mine, theirs } = await both(account)
      return {
        person: { account, handle: theirs.handle },
        digits: await safetyDigits(mine, theirs),
        code: await safetyCode({ mine, theirs }),
        compared: await isCompared(store, account),
      }
    },
    async compareSafetyCode({ account, code }) {
      const verdict = await compareCode(code, await both(account))
      if (verdict === 'same') await setCompared({ account, same: true })
      return verdict
    },
    async conversationNumber({ conversation }) {
      const { conversations } = signedIn().device.core
      const group = await conversations.hold(conversation, async (hold) => hold.group)
      if (!group) throw new MessengerError('not_found', 'This device is not in that conversation.')
      return conversationDigits(group.epochAuthenticator)
    },
    async securityEvents({ before }) {
      const query = { limit: 50, ...(before !== undefined && { before }) }
      const { events } = await signedIn().device.core.session.call(routes.securityEvents.list, { query })
      return events.map(({ position, kind, method, device, times, at }) => ({
        position,
        kind,
        ...(method !== null && { method }),
        ...(device !== null && { device }),
        times,
        time: Date.parse(at),
      }))
    },
    async held() {
      return (await signedIn().device.core.session.call(routes.disclosure.overview, {})).tables
    },
    async heldRows({ table, after }) {
      const asked = { params: { table }, query: { after, limit: 50 } }
      return (await signedIn().device.core.session.call(routes.disclosure.rows, asked)).rows
    },
    async keyLogEvidence() {
      const all = await allEvidence(signedIn().device.core.store)
      return all.map(({ account, conversation, ...evidence }) => ({
        ...evidence,
        ...(account !== undefined && { account }),
        ...(conversation !== undefined && { conversation }),
      }))
    },
  }
}

/** Somebody whose key is pinned, and who is somebody else. */
async function identityOf({ core }: Device, account: AccountId): Promise<Identity & { readonly handle: string }> {
  if (account === core.account) throw new MessengerError('not_allowed', 'This is you.')
  const known = await core.people.known(account)
  if (!known) throw new MessengerError('not_found', 'This device does not know that person.')
  return { account, accountKey: known.pin.accountKey, handle: known.pin.handle }
}
