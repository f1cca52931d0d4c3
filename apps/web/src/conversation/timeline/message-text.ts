/** Cuts a text into words and links. Nothing in here makes markup: what comes out is drawn as React nodes. */
import { LinkifyIt } from 'linkify-it'

export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }

const linkify = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: false })
linkify.add('ftp:', null)
linkify.add('//', null)

/** Where a link may lead. Checked on the address that is opened, not on the text that is shown. */
const SAFE = /^(https?:\/\/|mailto:)/i

/** @returns parts that joined give the text again. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = []
  let from = 0
  for (const { index, lastIndex, raw, schema, url } of linkify.match(text) ?? []) {
    // A link written without its scheme means the encrypted one.
    const safe = safeUrl(schema === '' ? url.replace(/^http:/, 'https:') : url)
    if (safe === undefined) continue
    if (index > from) parts.push({ kind: 'text', text: text.slice(from, index) })
    parts.push({ kind: 'link', text: raw, url: safe })
    from = lastIndex
  }
  if (from < text.length || parts.length === 0) parts.push({ kind: 'text', text: text.slice(from) })
  return parts
}

const safeUrl = (url: string): string | undefined => (SAFE.test(url) && URL.canParse(url) ? url : undefined)

const ONLY_EMOJI = /^\p{RGI_Emoji}{1,3}$/v

/** One to three emoji and nothing else: drawn larger. */
export const isOnlyEmoji = (text: string): boolean => ONLY_EMOJI.test(text.trim())
