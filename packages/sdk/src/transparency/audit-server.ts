/**
 * Verifying a server's whole log of device lists, from its first entry to its newest head. Needs no account: the log is
 * public, and names nobody.
 */
import { Auditor, equalBytes, readHead, Refusal, routes, type AuditFinding, type LogHead } from '@tacit/contract'
import { callRoute, type Server } from '../connection/http.ts'
import { asMessengerError, Unreachable } from '../trouble.ts'

export type AuditReport =
  | { readonly kind: 'sound'; readonly head: LogHead }
  /** No list was ever logged. */
  | { readonly kind: 'empty' }
  /** An entry that no honest log holds; what comes after it was not looked at. */
  | { readonly kind: 'broken'; readonly finding: AuditFinding }
  /** The entries are sound, and the head that the server signs is not theirs. */
  | { readonly kind: 'other_head'; readonly head: LogHead; readonly root: Uint8Array }

export interface AuditOptions {
  readonly server: Server
  /** After each page: how many entries were verified. */
  readonly progress?: (entries: number) => void
}

/** Rejects with `MessengerError` when the server does not give the log. */
export async function auditServer(options: AuditOptions): Promise<AuditReport> {
  try {
    return await audit(options)
  } catch (error) {
    // An empty log has no head.
    if (error instanceof Refusal && error.failure === 'not_found') return { kind: 'empty' }
    throw asMessengerError(error)
  }
}

async function audit({ server, progress = () => undefined }: AuditOptions): Promise<AuditReport> {
  const auditor = new Auditor()
  // The head of the beginning: the log may grow for as long as it is read.
  const head = await headOf(server)
  while (auditor.size < head.size) {
    const query = { from: auditor.size, limit: Math.min(1000, head.size - auditor.size) }
    const { entries } = await callRoute(server, { route: routes.transparency.entries, given: { query } })
    if (entries.length === 0) throw new Unreachable('the log ends before its head')
    for (const entry of entries.slice(0, query.limit)) {
      const finding = auditor.add(entry)
      if (finding) return { kind: 'broken', finding }
    }
    progress(auditor.size)
  }
  const root = auditor.state?.root ?? new Uint8Array()
  return equalBytes(root, head.root) ? { kind: 'sound', head } : { kind: 'other_head', head, root }
}

async function headOf(server: Server): Promise<LogHead> {
  const { head } = await callRoute(server, { route: routes.transparency.head, given: {} })
  const read = await readHead(head)
  if (!read) throw new Unreachable('the head is not signed')
  return read
}
