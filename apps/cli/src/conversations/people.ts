/** People as you see them: names of your own, and who is blocked. On all your devices, and nobody is told. */
import type { Contact, Person } from '@tacit/sdk'
import type { SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { printable } from '../terminal/printable.ts'

/** Milliseconds. */
const CATCHING_UP = 10_000

export async function people({ device, voice }: SignedInContext): Promise<void> {
  // What other devices changed is here when this one has caught up.
  await device.settle({ within: CATCHING_UP })
  const all = await device.contacts()
  voice.answer({ json: all.map(asJson), lines: all.map(asLine) })
}

/** Without a name: by their handle again. */
export async function nameSomebody(context: SignedInContext, { handle, name = '' }: { handle: string; name?: string }): Promise<void> {
  const { account, handle: found } = await mustFind(context, handle)
  await context.device.setNickname({ account, nickname: name })
  context.voice.answer({ json: { handle: found, name }, lines: [name === '' ? `@${found}` : `@${found} is ${printable(name)}`] })
}

export async function setBlocked(context: SignedInContext, { handle, blocked }: { handle: string; blocked: boolean }): Promise<void> {
  const { account, handle: found } = await mustFind(context, handle)
  await context.device.setBlocked({ account, blocked })
  context.voice.answer({ json: { handle: found, blocked }, lines: [`@${found} is ${blocked ? 'blocked' : 'not blocked'}`] })
}

async function mustFind({ device }: SignedInContext, handle: string): Promise<Person> {
  const person = await device.findPerson({ handle: handle.replace(/^@/, '') })
  if (!person) throw new CliFailure('not_found', `There is nobody called ${printable(handle)}.`)
  return person
}

const asJson = ({ account, handle, nickname, blocked }: Contact) => ({ account, handle, ...(nickname && { name: nickname }), blocked })

const asLine = ({ handle, nickname, blocked }: Contact): string =>
  [`@${handle}`, nickname === undefined ? '' : printable(nickname), blocked ? '(blocked)' : ''].filter((part) => part !== '').join('  ')
