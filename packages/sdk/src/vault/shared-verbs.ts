/** The verbs for what own devices have in common: people as one sees them, choices, drafts. */
import { MessengerError, type Verbs } from '../api.ts'
import { byteLength } from '../messages/payload.ts'
import type { SignedIn } from '../verbs.ts'
import { allContacts, blockOf, isBlocked, nameOf } from './contacts.ts'
import { draftOf, LONGEST_DRAFT } from './places.ts'

type SharedVerbs = Pick<Verbs, 'setNickname' | 'setBlocked' | 'contacts' | 'setPreference' | 'saveDraft'>

const LONGEST_NICKNAME = 64

export function sharedVerbs(signedIn: () => SignedIn): SharedVerbs {
  return {
    async setNickname({ account, nickname }) {
      const chosen = nickname.trim()
      if (chosen.length > LONGEST_NICKNAME) throw new MessengerError('too_large', `A name has at most ${LONGEST_NICKNAME} characters.`)
      await signedIn().device.shared.set('people', { [nameOf(account)]: chosen === '' ? undefined : chosen })
    },
    async setBlocked({ account, blocked }) {
      const { core, shared } = signedIn().device
      if (account === core.account) throw new MessengerError('not_allowed', 'This is you.')
      if ((await isBlocked(core.store, account)) === blocked) return
      await shared.set('people', { [blockOf(account)]: blocked ? core.clock.now() : undefined })
    },
    contacts: () => allContacts(signedIn().device.core.store),
    setPreference: ({ name, value }) => signedIn().device.shared.set('settings', { [name]: value }),
    async saveDraft({ conversation, text }) {
      const kept = byteLength(text) > LONGEST_DRAFT ? text.slice(0, LONGEST_DRAFT / 4) : text
      await signedIn().device.shared.set('places', { [draftOf(conversation)]: kept === '' ? undefined : kept })
    },
  }
}
