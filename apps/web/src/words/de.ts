/** Every German text of the app. */
import { account } from './de/account.ts'
import { conversation } from './de/conversation.ts'
import { devices } from './de/devices.ts'
import { door } from './de/door.ts'
import { failure } from './de/failure.ts'
import { page } from './de/page.ts'
import { people } from './de/people.ts'
import type { Words } from './en.ts'

export const de: Words = { ...page, ...door, ...conversation, ...people, ...account, ...devices, ...failure }
