/** Letters and colours that stand for a person or a group. */

const HUES = 8
const graphemes = new Intl.Segmenter()

/** A number from 0 to 7 that follows from an id. */
export function hueOf(id: string): number {
  let sum = 0
  for (let at = 0; at < id.length; at++) sum = (sum * 31 + id.charCodeAt(at)) % 65_521
  return sum % HUES
}

/** The first letters of the first words, in upper case; `count` at most. */
export function initials({ name, count }: { readonly name: string; readonly count: number }): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word.length > 0)
  const letters = words.slice(0, count).map((word) => graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? '')
  return letters.join('').toLocaleUpperCase() || '?'
}
