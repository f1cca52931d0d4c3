/** A text as a QR code: one path, dark on light whatever the theme, because cameras expect it so. */
import { useMemo } from 'react'
import encodeQr from 'qr'
import css from './trust.module.css'

export function QrPicture({ text, label }: { readonly text: string; readonly label: string }) {
  const rows = useMemo(() => encodeQr(text, 'raw'), [text])
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    // A picture that is drawn here has no address that an <img> could name.
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
    <svg role="img" aria-label={label} viewBox={`0 0 ${rows.length} ${rows.length}`} className={css['qr']} shapeRendering="crispEdges">
      <path d={path} />
    </svg>
  )
}
