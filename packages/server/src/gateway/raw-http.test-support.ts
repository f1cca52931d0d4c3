/** HTTP as an attacker writes it: bytes on a TCP connection, and the answer until the server ends it. */
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** `name` of the problem. */
  readonly name: string | undefined
  readonly text: string
  /** Whether the server closed the connection by itself. */
  readonly closed: boolean
}

/** Sends `parts`, one after another as the connection takes them, and waits for a whole answer or the end. */
export async function sendRaw(url: string, ...parts: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  let closed = false
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (isWhole(text) && !/connection: close/i.test(text)) resolve()
    })
    socket.on('close', () => {
      closed = true
      resolve()
    })
    socket.on('error', () => undefined)
  })
  for (const part of parts) socket.write(part)
  await done
  socket.destroy()
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), name: /"name":"([a-z_]+)"/.exec(text)?.[1], text, closed }
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
  return end !== -1 && text.length >= end + 4 + length
}

/** A request head. `lines` are header lines without their ends. */
export const head = (start: string, ...lines: readonly string[]): string => [`${start} HTTP/1.1`, ...lines, '', ''].join('\r\n')
