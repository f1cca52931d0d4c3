/**
 * A person's history as one page for any browser: readable, without a script that runs, and with the data inside so that it
 * can be read back. The words around it are the caller's, in the person's language.
 */
import type { HistoryFile, Notice } from '../api.ts'
import { withNames } from '../messages/timeline.ts'
import { PAGE_DATA } from './history-file.ts'

export type HistoryItem = HistoryFile['conversations'][number]['items'][number]

export interface HistoryPageWords {
  readonly language: string
  readonly title: string
  /** Beneath the title: whose, from when. */
  readonly about: string
  /** A conversation without a title. */
  readonly untitled: string
  /** When something was said. */
  time(milliseconds: number): string
  /** What a line that is no message says. */
  notice(notice: Notice): string
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c22; background: #fff }
  nav ul { padding-left: 1.2rem } h2 { margin-top: 3rem; border-bottom: 1px solid #ccc }
  article { margin: .6rem 0 } header { color: #555; font-size: .85rem } p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
  .mine header { color: #2b5fc4 } .notice { color: #555; font-size: .85rem; text-align: center }
  @media (prefers-color-scheme: dark) {
    body { color: #e8e8ee; background: #17171b } header, .notice { color: #aaa } .mine header { color: #8fb4ff } h2 { border-color: #444 } a { color: #8fb4ff }
  }`

/** The whole page as HTML. */
export function historyPage(file: HistoryFile, words: HistoryPageWords): string {
  const names = new Map<string, string>(file.people.map(({ account, handle }) => [account, handle]))
  const name = (account: string): string => names.get(account) ?? ''
  const titles = file.conversations.map((talk) => talk.title || (talk.peer && `@${name(talk.peer)}`) || words.untitled)
  const line = (item: HistoryItem): string => {
    const when = `<time datetime="${new Date(item.time).toISOString()}">${escaped(words.time(item.time))}</time>`
    if (item.kind === 'notice')
      return `<p class="notice">${escaped(words.notice(withNames(item.notice, (account) => ({ account, handle: name(account) }))))} · ${when}</p>`
    const side = item.account === file.account ? ' class="mine"' : ''
    return `<article${side}><header>@${escaped(name(item.account))} · ${when}</header><p>${escaped(item.text)}</p></article>`
  }
  const sections = file.conversations.map(
    ({ items }, at) => `<section id="c${at}"><h2>${escaped(titles[at] ?? '')}</h2>\n${items.map(line).join('\n')}\n</section>`,
  )
  return `<!doctype html>
<html lang="${escaped(words.language)}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(words.title)}</title>
<style>${STYLE}</style>
<h1>${escaped(words.title)}</h1>
<p>${escaped(words.about)}</p>
<nav><ul>${titles.map((title, at) => `<li><a href="#c${at}">${escaped(title)}</a></li>`).join('')}</ul></nav>
${sections.join('\n')}
${PAGE_DATA}${JSON.stringify(file).replaceAll('<', String.raw`\u003c`)}</script>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
