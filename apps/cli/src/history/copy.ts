/** The person's own copy of their history: written into a folder, and read back. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { historyPage, type HistoryImport } from '@tacit/sdk'
import { catchUp } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { describeNotice } from '../messages/describe.ts'
import { dateAndTime } from '../terminal/when.ts'
import { historyComing } from './coming.ts'

/** How long the whole archive may take, ms. */
const WHOLE = 600_000

/** Writes `history.html` for people and `history.json` for programs. Overwrites nothing. */
export async function exportHistory(context: SignedInContext, { folder }: { readonly folder: string }): Promise<void> {
  const { device, session, voice } = context
  const coming = await historyComing(context, WHOLE)
  while (await coming.more());
  const file = await device.exportHistory()
  const lines = file.conversations.reduce((sum, { items }) => sum + items.length, 0)
  const page = historyPage(file, {
    language: 'en',
    title: `History of @${session.me.handle}`,
    about: `${file.conversations.length} conversations, ${lines} lines, written by Tacit on ${file.exported}. Whoever has this file can read it.`,
    untitled: 'a conversation without a title',
    time: (time) => dateAndTime(time),
    notice: describeNotice,
  })
  const html = join(folder, 'history.html')
  const json = join(folder, 'history.json')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  write(html, page)
  write(json, `${JSON.stringify(file, null, 1)}\n`)
  voice.answer({
    json: { html, json, lines },
    lines: [`${lines} lines of ${file.conversations.length} conversations are in ${html} and ${json}`],
  })
  coming.say()
}

/** Reads a file that `export` wrote, here or in the web app. */
export async function importHistory(context: SignedInContext, { path }: { readonly path: string }): Promise<void> {
  const { device, voice } = context
  await catchUp(context)
  const outcome = await device.importHistory({ file: read(path) })
  if (outcome.kind === 'refused') throw new CliFailure('not_imported', refusals[outcome.why])
  voice.answer({ json: outcome, lines: [`${outcome.added} lines were added, ${outcome.known} were here already`] })
}

const refusals: Readonly<Record<Extract<HistoryImport, { kind: 'refused' }>['why'], string>> = {
  not_a_history: 'This is not a history that Tacit wrote.',
  damaged: 'This file is damaged: it is not as it was written.',
  too_new: 'This file was written by a newer Tacit.',
  other_account: 'This is the history of another account.',
}

function write(path: string, content: string): void {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    throw new CliFailure('usage', `${path} cannot be written, or is there already.`, String(cause))
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CliFailure('usage', `${path} cannot be read.`, String(cause))
  }
}
