/** A QR code as lines of text: two rows of it in each, light where the code is light, so that it reads on a dark terminal. */
import encodeQr from 'qr'

/** By whether the upper and the lower half are dark. */
const HALVES = { false: { false: '█', true: '▀' }, true: { false: '▄', true: ' ' } } as const

export function terminalQr(text: string): readonly string[] {
  const rows = encodeQr(text, 'raw')
  return Array.from({ length: Math.ceil(rows.length / 2) }, (_, line) =>
    (rows[line * 2] ?? []).map((dark, x) => HALVES[`${dark}`][`${rows[line * 2 + 1]?.[x] ?? false}`]).join(''),
  )
}
