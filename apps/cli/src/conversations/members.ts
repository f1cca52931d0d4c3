/** Who is in a conversation, who is to go and is not gone, and whom to take along when it is stuck. */
import type { ConversationDetails } from '@tacit/sdk'
import { shown } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { printable } from '../terminal/printable.ts'
import { dateAndTime } from '../terminal/when.ts'
import { bare, currentConversation } from './conversations.ts'

export async function members(context: SignedInContext, { reference }: { reference: string }): Promise<void> {
  const { conversation } = await currentConversation(context, reference)
  const details = await shown(context.device.watch('details', conversation), context)
  context.voice.answer({ json: asJson(details), lines: details.members.map((member) => asLine(member, details)) })
}

/** For a group that is stuck; `without`: handles of those who are not taken along. */
export async function startAnew(
  context: SignedInContext,
  { reference, without }: { reference: string; without: readonly string[] },
): Promise<void> {
  const { conversation, title } = await currentConversation(context, reference)
  const { members: all } = await shown(context.device.watch('details', conversation), context)
  const left = new Set(without.map((handle) => bare(handle).toLowerCase()))
  const taken = all.filter(({ me, handle }) => !me && !left.has(handle.toLowerCase()))
  const next = await context.device.startAnew({ conversation, people: taken.map(({ account }) => account) })
  context.voice.answer({ json: { conversation: next }, lines: [`${title} goes on in ${next}`] })
}

function asLine({ account, handle, role, me, devices }: ConversationDetails['members'][number], { removals }: ConversationDetails): string {
  const removal = removals.find(({ person }) => person.account === account)
  const facts = [
    role === 'admin' && 'admin',
    me && 'you',
    `${devices} ${devices === 1 ? 'device' : 'devices'}`,
    removal && `removal asked for ${dateAndTime(removal.asked)}, not effective yet`,
  ]
  return `@${printable(handle)}  ${facts.filter(Boolean).join(' · ')}`
}

const asJson = ({ conversation, title, standing, members: all, removals }: ConversationDetails) => ({
  conversation,
  title,
  standing,
  members: all.map(({ account, handle, role, me, devices }) => ({ account, handle, role, me, devices })),
  removals: removals.map(({ person, asked, late }) => ({ account: person.account, handle: person.handle, asked: instant(asked), late })),
})

const instant = (time: number): string => new Date(time).toISOString()
