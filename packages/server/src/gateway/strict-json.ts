/**
 * JSON as we accept it in a request body: valid UTF-8, at most 16 levels deep, no key twice, no key that names an
 * object's prototype, and only integers that survive a round trip. What JSON.parse would silently repair is refused.
 */

const MAX_DEPTH = 16
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\]:,]/g

/** Thrown for anything else. Says what is wrong, never quotes the input. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError'
}

/** The value in `bytes`. Throws StrictJsonError. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes)
  refuseTraps(text)
  try {
    return JSON.parse(text)
  } catch {
    throw new StrictJsonError('not JSON')
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new StrictJsonError('not UTF-8')
  }
}

/** An open object has the keys seen so far; an open array has none. */
type Open = { readonly keys: Set<string> | undefined }

/** One pass over the tokens. It need not notice bad syntax: JSON.parse does that afterwards. */
function refuseTraps(text: string): void {
  const open: Open[] = []
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    if (token === '{' || token === '[') {
      open.push({ keys: token === '{' ? new Set() : undefined })
      if (open.length > MAX_DEPTH) throw new StrictJsonError('nested too deep')
    } else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"')) {
      if (isKey(text, match.index + token.length)) refuseKey(token, open.at(-1)?.keys)
    } else if (token !== ':' && token !== ',') refuseNumber(token)
  }
}

function isKey(text: string, after: number): boolean {
  let at = after
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return text[at] === ':'
}

function refuseKey(token: string, keys: Set<string> | undefined): void {
  const key = unescape(token)
  if (FORBIDDEN_KEYS.has(key)) throw new StrictJsonError('a key that is not allowed')
  if (keys?.has(key)) throw new StrictJsonError('a key twice')
  keys?.add(key)
}

/** `"a"` is the key `a` as well, so keys are compared after their escapes. */
function unescape(token: string): string {
  try {
    return String(JSON.parse(token))
  } catch {
    throw new StrictJsonError('not JSON')
  }
}

function refuseNumber(token: string): void {
  const value = Number(token)
  if (Object.is(value, -0) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new StrictJsonError('a number out of range')
}
