/** The verbs by which a person rules over their history: what is archived, what goes, and their own copy of it. */
import { MessengerError, type Verbs } from '../api.ts'
import { id, integer } from '../local-store/columns.ts'
import { ConversationId } from '@tacit/contract'
import type { SignedIn } from '../verbs.ts'
import { forgetMessage, isExpired, placeItem, savePersonName } from './archive.store.ts'
import { readHistory, readHistoryFile } from './history-file.ts'
import { placeConversations } from './restore.ts'
import type { Segment } from './segment.ts'

type HistoryVerbs = Pick<Verbs, 'forget' | 'setHistory' | 'eraseHistory' | 'historyAlarmSeen' | 'exportHistory' | 'importHistory'>

/** Items of a file that are stored together: a screen that reads meanwhile waits no longer than for these. */
const TOGETHER = 500

export function historyVerbs(signedIn: () => SignedIn): HistoryVerbs {
  return {
    async forget({ conversation, message }) {
      const { device } = signedIn()
      const { store } = device.core
      const sql = "select * from item where conversation = ? and message = ? and kind = 'message'"
      const row = await store.get(sql, [conversation, message])
      if (!row) throw new MessengerError('not_found', 'This device does not have that message.')
      const segment = row['segment'] === null ? 0 : integer(row, 'segment')
      const gone = {
        conversation: id(row, 'conversation', ConversationId),
        message,
        seq: integer(row, 'seq'),
        time: integer(row, 'time'),
        segment,
      }
      await store.transaction((writer) => forgetMessage(writer, gone, false))
      device.looksDifferent()
      device.archive.gather()
    },
    setHistory: ({ on }) => signedIn().device.archive.switch(on),
    eraseHistory: () => signedIn().device.archive.wipe(),
    historyAlarmSeen: () => signedIn().device.archive.acknowledgeAlarm(),
    async exportHistory() {
      const { device, self } = signedIn()
      return readHistory(device.core.store, { account: self.account, handle: self.handle, now: device.core.clock.now() })
    },
    async importHistory({ file }) {
      const signed = signedIn()
      const read = await readHistoryFile(file, signed.self.account)
      if (read.kind === 'refused') return read
      const added = await placeFile(signed, read.segment)
      return { kind: 'imported', added, known: read.segment.items.length - added }
    },
  }
}

/** Adds what is not there; what is there stays as it is. */
async function placeFile({ device }: SignedIn, { people, conversations, items }: Segment): Promise<number> {
  const { core } = device
  await placeConversations(core, { conversations, items })
  await core.store.transaction(async (writer) => {
    for (const person of people) await savePersonName(writer, person)
  })
  const now = core.clock.now()
  const live = items.filter((item) => !isExpired(item, now))
  let added = 0
  for (let at = 0; at < live.length; at += TOGETHER) {
    added += await core.store.transaction(async (writer) => {
      let placed = 0
      for (const item of live.slice(at, at + TOGETHER)) if (await placeItem(writer, item, { me: core.account, segment: null })) placed += 1
      return placed
    })
  }
  device.looksDifferent()
  device.archive.gather()
  return added
}
