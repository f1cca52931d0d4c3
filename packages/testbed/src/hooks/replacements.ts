/**
 * Source files with other words in one place, for tests that need a server or device which is broken on purpose or dies at one
 * line. Production code has no switch for that: the text is replaced while the module is loaded. A text that is not there
 * exactly once is an error, so whoever changes the line is told what else to change.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export interface Replacement {
  /** Path of a source file from the root of the repository. */
  readonly file: string
  /** Words that are in it exactly once. */
  readonly anchor: string
  /** What stands there instead. */
  readonly text: string
}

/** Where processes find what to replace (`replacingProcess`). */
export const REPLACEMENTS_VARIABLE = 'TACIT_REPLACEMENTS'

const ROOT = resolve(import.meta.dirname, '../../../..')

/** The replaced source of each file, by absolute path. Throws when an anchor is not there exactly once. */
export function replacedSources(replacements: readonly Replacement[]): ReadonlyMap<string, string> {
  const sources = new Map<string, string>()
  for (const replacement of replacements) {
    const path = join(ROOT, replacement.file)
    sources.set(path, replace(sources.get(path) ?? readFileSync(path, 'utf8'), replacement))
  }
  return sources
}

/** What a Node process needs to run with replacements: its environment and its arguments in front of the program. */
export function replacingProcess(replacements: readonly Replacement[]): {
  readonly environment: Readonly<Record<string, string>>
  readonly nodeArguments: readonly string[]
} {
  replacedSources(replacements)
  return {
    environment: { [REPLACEMENTS_VARIABLE]: JSON.stringify(replacements) },
    nodeArguments: ['--import', join(import.meta.dirname, 'register.ts')],
  }
}

function replace(source: string, { file, anchor, text }: Replacement): string {
  const parts = source.split(anchor)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once:\n${anchor}`)
  return parts.join(text)
}
