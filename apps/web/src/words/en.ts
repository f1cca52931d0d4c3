/** Every English text of the app. Keys are typed from here; the other languages must have the same ones. */
import { account } from './en/account.ts'
import { conversation } from './en/conversation.ts'
import { devices } from './en/devices.ts'
import { door } from './en/door.ts'
import { failure } from './en/failure.ts'
import { page } from './en/page.ts'
import { people } from './en/people.ts'
import type { Shape } from './shape.ts'

export const en = { ...page, ...door, ...conversation, ...people, ...account, ...devices, ...failure }

/** What every language must have. */
export type Words = Shape<typeof en>
