/** The code that a new device shows: eight characters to type, or a QR code that says also at which server and to what the device is bound. */
import { fromBase64Url, LinkCode, toBase64Url } from '@tacit/contract'

export interface ShownCode {
  readonly code: LinkCode
  /** Origin of the server. */
  readonly server: string
  readonly commitment: Uint8Array
}

export type ReadCode =
  | { readonly kind: 'typed'; readonly code: LinkCode }
  | ({ readonly kind: 'scanned' } & ShownCode)
  | { readonly kind: 'not_a_code' }

/** No address that a browser or a phone would open: a link must not begin anything. */
const PREFIX = 'tacit-link:1:'

/** What the QR code says. */
export const scannableCode = ({ code, server, commitment }: ShownCode): string => `${PREFIX}${code}:${toBase64Url(commitment)}:${server}`

/** As people read it: two groups of four. */
export const readableCode = (code: LinkCode): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** Reads what was scanned, or typed in any case, with spaces and dashes, and with the letters that Crockford takes for digits. */
export function readCode(given: string): ReadCode {
  const text = given.trim()
  return text.startsWith(PREFIX) ? readScanned(text.slice(PREFIX.length)) : readTyped(text)
}

function readScanned(rest: string): ReadCode {
  const [code = '', hash = '', ...server] = rest.split(':')
  const parsed = LinkCode.safeParse(code)
  const commitment = fromBase64Url(hash)
  if (!parsed.success || commitment?.length !== 32 || server.length === 0) return { kind: 'not_a_code' }
  return { kind: 'scanned', code: parsed.data, commitment, server: server.join(':') }
}

function readTyped(text: string): ReadCode {
  const plain = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const parsed = LinkCode.safeParse(plain)
  return parsed.success ? { kind: 'typed', code: parsed.data } : { kind: 'not_a_code' }
}
