/** The camera, looking for a QR code. Nothing it sees leaves the page; it stops as soon as a code is read or the scanner goes. */
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import css from './linking.module.css'
import { openReader } from './read-code.ts'

interface ScannerProps {
  readonly label: string
  /** Called once, with what the code says. */
  readonly onCode: (text: string) => void
}

/** How often a picture is looked at, in milliseconds. */
const EVERY = 150

export function Scanner({ label, onCode }: ScannerProps) {
  const { t } = useTranslation()
  const video = useRef<HTMLVideoElement>(null)
  const [blind, setBlind] = useState(false)
  const latest = useRef(onCode)
  useEffect(() => {
    latest.current = onCode
  })
  useEffect(() => {
    const place = video.current
    if (!place) return undefined
    const stop = new AbortController()
    const found = (text: string) => {
      stop.abort()
      latest.current(text)
    }
    watch(place, { found, signal: stop.signal }).catch(() => !stop.signal.aborted && setBlind(true))
    return () => stop.abort()
  }, [])
  if (blind) return <p className={css['quiet']}>{t('linking.noCamera')}</p>
  return <video ref={video} className={css['camera']} aria-label={label} muted playsInline />
}

/** Rejects when there is no camera, or the person said no. */
async function watch(place: HTMLVideoElement, { found, signal }: { found: (text: string) => void; signal: AbortSignal }): Promise<void> {
  const [stream, read] = await Promise.all([
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false }),
    openReader(),
  ])
  const end = () => stream.getTracks().forEach((track) => track.stop())
  if (signal.aborted) return end()
  signal.addEventListener('abort', end)
  place.srcObject = stream
  await place.play()
  while (!signal.aborted) {
    const text = await read(place)
    if (text !== undefined && !signal.aborted) found(text)
    await new Promise((resolve) => setTimeout(resolve, EVERY))
  }
}
