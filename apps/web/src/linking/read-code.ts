/**
 * Finds a QR code in a picture: by the browser's own detector where it has one, else by a decoder that is loaded only then.
 */

/** What the code in the picture says; undefined when there is none. */
export type ReadCode = (picture: HTMLVideoElement) => Promise<string | undefined>

/** Not yet in TypeScript's own types (Shape Detection API). */
interface BarcodeDetector {
  detect(picture: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>
}
interface BarcodeDetectorClass {
  new (options: { readonly formats: readonly string[] }): BarcodeDetector
  getSupportedFormats(): Promise<readonly string[]>
}

/** Pixels of the longer side that are looked at: enough for a code that fills a third of the picture. */
const SIDE = 800

export async function openReader(): Promise<ReadCode> {
  return (await nativeReader()) ?? (await ownReader())
}

async function nativeReader(): Promise<ReadCode | undefined> {
  const Detector = (globalThis as { BarcodeDetector?: BarcodeDetectorClass }).BarcodeDetector
  if (!Detector) return undefined
  const formats = await Detector.getSupportedFormats().catch((): readonly string[] => [])
  if (!formats.includes('qr_code')) return undefined
  const detector = new Detector({ formats: ['qr_code'] })
  return async (picture) => (await detector.detect(picture).catch(() => []))[0]?.rawValue
}

async function ownReader(): Promise<ReadCode> {
  const { default: decode } = await import('qr/decode.js')
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  return async (picture) => {
    const { videoWidth, videoHeight } = picture
    if (!context || videoWidth === 0 || videoHeight === 0) return undefined
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight))
    const size = { width: Math.round(videoWidth * scale), height: Math.round(videoHeight * scale) }
    Object.assign(canvas, size)
    context.drawImage(picture, 0, 0, size.width, size.height)
    try {
      return decode({ ...size, data: context.getImageData(0, 0, size.width, size.height).data })
    } catch {
      // Most pictures hold no code.
      return undefined
    }
  }
}
