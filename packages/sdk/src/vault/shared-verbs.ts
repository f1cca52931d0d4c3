/** The verbs for what own devices have in common: people as one sees them, choices, drafts. */
import { AccountId } from '@tacit/contract'
import { MessengerError, type Contact, type Verbs } from '../api.ts'
import { id } from '../local-store/columns.ts'
import type { Reader } from '../local-store/driver.ts'
import { byteLength } from '../messages/payload.ts'
import { loadNames } from '../messages/people-names.ts'
import type { SignedIn } from '../verbs.ts'
import { blockOf, handleOf, isBlocked, nameOf } from './contacts.ts'
import { draftOf, LONGEST_DRAFT } from './places.ts'

type SharedVerbs = Pick<Verbs, 'setNickname' | 'setBlocked' | 'contacts' | 'setPreference' | 'saveDraft'>

const LONGEST_NICKNAME = 64

export function sharedVerbs(signedIn: () => SignedIn): SharedVerbs {
  return {
    async setNickname({ account, nickname }) {
      const chosen = nickname.trim()
      if (chosen.length > LONGEST_NICKNAME) throw new MessengerError('too_large', `A name has at most ${LONGEST_NICKNAME} characters.`)
      const { core, shared } = signedIn().device
      await shared.set('people', { [nameOf(account)]: chosen === '' ? undefined : chosen, ...(await known(core.store, account)) })
    },
    async setBlocked({ account, blocked }) {
      const { core, shared } = signedIn().device
      if (account === core.account) throw new MessengerError('not_allowed', 'This is you.')
      if ((await isBlocked(core.store, account)) === blocked) return
      await shared.set('people', { [blockOf(account)]: blocked ? core.clock.now() : undefined, ...(await known(core.store, account)) })
    },
    contacts: () => allContacts(signedIn().device.core.store),
    setPreference: ({ name, value }) => signedIn().device.shared.set('settings', { [name]: value }),
    async saveDraft({ conversation, text }) {
      const kept = byteLength(text) > LONGEST_DRAFT ? text.slice(0, LONGEST_DRAFT / 4) : text
      await signedIn().device.shared.set('places', { [draftOf(conversation)]: kept === '' ? undefined : kept })
    },
  }
}

/** Everybody who has a name of one's own or is blocked, by name. */
async function allContacts(reader: Reader): Promise<readonly Contact[]> {
  const names = await loadNames(reader)
  const rows = await reader.all('select * from contact where nickname is not null or blocked is not null')
  const contacts = rows.map((row): Contact => {
    return { ...names(id(row, 'account', AccountId)), blocked: row['blocked'] !== null }
  })
  return contacts.toSorted((one, other) => (one.nickname ?? one.handle).localeCompare(other.nickname ?? other.handle))
}

/** The handle goes along: another own device may not have met this person. */
async function known(reader: Reader, account: AccountId): Promise<Readonly<Record<string, string>>> {
  const { handle } = (await loadNames(reader))(account)
  return handle === '' ? {} : { [handleOf(account)]: handle }
}
