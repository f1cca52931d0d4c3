/** The archive of the account's history: how it stands, switching it, and taking single messages out. */
import type { HistoryState } from '@tacit/sdk'
import { catchUp, shown } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { chosenConversation } from '../conversations/conversations.ts'
import { CliFailure } from '../failures.ts'
import { historyComing } from './coming.ts'

export type ArchiveWish = 'on' | 'off' | 'erase' | 'seen'

export const archiveWishes: readonly ArchiveWish[] = ['on', 'off', 'erase', 'seen']

/** Says how the archive stands, after doing what was asked for. */
export async function archive(context: SignedInContext, { wish }: { readonly wish: ArchiveWish | undefined }): Promise<void> {
  const { device, voice } = context
  await catchUp(context)
  if (wish === 'on' || wish === 'off') await device.setHistory({ on: wish === 'on' })
  if (wish === 'erase') await device.eraseHistory()
  if (wish === 'seen') await device.historyAlarmSeen()
  const state = await shown(device.watch('history'), context)
  voice.answer({ json: state, lines: linesOf(state) })
}

/** Deletes one message, for this person only. */
export async function forget(context: SignedInContext, { reference, message }: { reference: string; message: string }): Promise<void> {
  const { device, voice } = context
  const coming = await historyComing(context)
  while (await coming.more());
  const { conversation } = await chosenConversation(context, reference)
  const { conversations } = await device.exportHistory()
  const items = conversations.find((one) => one.conversation === conversation)?.items ?? []
  const found = items.flatMap((item) => (item.kind === 'message' && item.message.startsWith(message) ? [item.message] : []))
  const [only] = found
  if (!only) throw new CliFailure('not_found', `There is no message ${message} here.`, '`tacit history --json` shows their ids.')
  if (found.length > 1) throw new CliFailure('ambiguous', `Several messages begin with ${message}.`)
  await device.forget({ conversation, message: only })
  voice.answer({ json: { conversation, message: only }, lines: ['deleted for you; the others keep theirs'] })
}

function linesOf({ on, messages, used, quota, waiting, restoring, trouble }: HistoryState): string[] {
  const size = `${messages} lines, ${(used / 1024 / 1024).toFixed(1)} of ${Math.round(quota / 1024 / 1024)} MiB`
  return [
    on ? `The archive is on: ${size}.` : `The archive is off: ${size} from before.`,
    ...(restoring ? [`Older history is coming in: ${restoring.done} of ${restoring.total} lines.`] : []),
    ...(waiting > 0 ? [`${waiting} lines of this device are not in it yet.`] : []),
    ...(trouble ? [troubles[trouble]] : []),
  ]
}

const troubles: Readonly<Record<NonNullable<HistoryState['trouble']>, string>> = {
  full: 'It is full: newer history stays on your devices only.',
  missing: 'WARNING: the server does not give a part of it.',
  unreadable: 'A part of it cannot be read by this device; a newer program may.',
  rolled_back:
    'WARNING: the server showed an older archive than this device had seen. What is on this device is archived again; `tacit archive seen` ends this warning.',
  forked:
    'WARNING: the server showed different archives to your devices. What is on this device is archived again; `tacit archive seen` ends this warning.',
}
