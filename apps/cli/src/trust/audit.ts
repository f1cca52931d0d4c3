/** Verifying a server's log of device lists whole, as anybody can. */
import { createHash } from 'node:crypto'
import { auditServer, platformNetwork, type AuditReport } from '@tacit/sdk'
import { CliFailure } from '../failures.ts'
import { parseServer } from '../profile/server.ts'
import type { Voice } from '../terminal/voice.ts'
import { dateAndTime } from '../terminal/when.ts'

const DEFAULT_SERVER = 'http://localhost:8420'

/** Prints what was verified. Throws `CliFailure` `not_sound` with the first thing that is wrong. */
export async function audit({ voice }: { readonly voice: Voice }, { server }: { readonly server: string | undefined }): Promise<void> {
  const url = server === undefined ? DEFAULT_SERVER : parseServer(server)
  const began = performance.now()
  const report = await auditServer({ server: { url, network: platformNetwork } })
  const seconds = (performance.now() - began) / 1000
  if (report.kind === 'empty') return voice.answer({ json: { server: url, entries: 0 }, lines: [`${url} has logged no device list yet`] })
  if (report.kind !== 'sound') throw notSound(report)
  const { size, root, key, time } = report.head
  const names = { key: fingerprint(key), root: Buffer.from(root).toString('hex') }
  voice.answer({
    json: { server: url, entries: size, ...names, time: new Date(time).toISOString(), entriesPerSecond: Math.round(size / seconds) },
    lines: [
      `${url}: all ${size} entries are sound`,
      `newest entry ${dateAndTime(time)}, ${Math.round(size / seconds)} entries verified a second`,
      `key  ${names.key}`,
      `root ${names.root}`,
    ],
  })
}

/** The beginning of a key's SHA-256, in groups that can be read aloud. */
const fingerprint = (key: Uint8Array): string =>
  createHash('sha256')
    .update(key)
    .digest('hex')
    .slice(0, 32)
    .replace(/.{4}(?=.)/g, '$& ')

function notSound(report: Extract<AuditReport, { kind: 'broken' | 'other_head' }>): CliFailure {
  const next = 'Do not trust keys that this server shows, and tell whoever runs it.'
  if (report.kind === 'other_head')
    return new CliFailure('not_sound', `The head that the server signs for ${report.head.size} entries is not theirs.`, next)
  const { finding } = report
  const what = {
    malformed: 'is not well formed',
    version: 'leaves out a version of a device list, or repeats one',
    map: 'does not name the state that the entries before it lead to',
  }[finding.kind]
  return new CliFailure('not_sound', `Entry ${finding.at} of the log ${what}.`, next)
}
