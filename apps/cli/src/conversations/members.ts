/** Who is in a conversation, and who is to go and is not gone. */
import type { ConversationDetails } from '@tacit/sdk'
import { shown } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { printable } from '../terminal/printable.ts'
import { dateAndTime } from '../terminal/when.ts'
import { currentConversation } from './conversations.ts'

export async function members(context: SignedInContext, { reference }: { reference: string }): Promise<void> {
  const { conversation } = await currentConversation(context, reference)
  const details = await shown(context.device.watch('details', conversation), context)
  context.voice.answer({ json: asJson(details), lines: details.members.map((member) => asLine(member, details)) })
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
