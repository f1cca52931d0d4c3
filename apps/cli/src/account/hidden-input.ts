/** A secret typed at a terminal: what the keys mean, apart from the terminal. */

export type HiddenInput =
  | { readonly kind: 'typing'; readonly text: string }
  | { readonly kind: 'entered'; readonly text: string }
  | { readonly kind: 'cancelled' }

/** What arrow keys and their like send; none of it belongs to a secret. */
// oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character
const KEY_SEQUENCE = /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|O[A-Z]|[ -~])?/g

/** Takes what the terminal sent in raw mode. Enter ends it, Ctrl-C and an empty Ctrl-D cancel, Ctrl-U starts over. */
export function typeHidden(text: string, chunk: string): HiddenInput {
  let typed = text
  for (const key of chunk.replaceAll(KEY_SEQUENCE, '')) {
    if (key === '\r' || key === '\n') return { kind: 'entered', text: typed }
    if (key === '\u0003' || (key === '\u0004' && typed === '')) return { kind: 'cancelled' }
    if (key === '\u007F' || key === '\b') typed = Array.from(typed).slice(0, -1).join('')
    else if (key === '\u0015') typed = ''
    else if (key >= ' ') typed += key
  }
  return { kind: 'typing', text: typed }
}
