/**
 * What other people wrote, made harmless for a terminal. An escape sequence could rewrite the screen, set the clipboard
 * or answer for the person; a line break could forge a line of ours; a bidi override could show a text in another order
 * than it has. Everything that comes from outside goes through here on its way to a terminal.
 */

/**
 * C0 and C1 controls, lone surrogates, line and paragraph separators, marks, embeddings, overrides and isolates of the
 * bidi algorithm, interlinear annotations, the byte order mark. Joiners stay: emoji and several scripts need them.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u206F\uFEFF\uFFF9-\uFFFB]/gu

const LINE_BREAK = /\r\n|[\n\r\u0085\u2028\u2029]/

/** Longer runs of combining marks climb over the neighbouring lines. */
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu

/** One line that cannot leave its line. Controls become visible: ESC is shown as ␛, an override as <U+202E>. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, visible).replaceAll(STACKED_MARKS, '$1')
}

/** A text of several lines, as one printable string per line. */
export function printableLines(text: string): string[] {
  return text.split(LINE_BREAK).map(printable)
}

/**
 * JSON on one line that is safe to look at, too: what `JSON.stringify` leaves in clear although a terminal would obey it
 * is written as \u escapes, so a program that reads it gets the exact text.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(UNSAFE, (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${hex(character.charCodeAt(at))}`).join(''),
  )
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code === 0x09) return '  '
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `<U+${hex(code).toUpperCase()}>`
}

function hex(code: number): string {
  return code.toString(16).padStart(4, '0')
}
