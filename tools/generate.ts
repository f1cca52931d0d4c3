/**
 * Writes the files that are derived from the contract's and the settings' tables. They are checked in, so that a reader
 * needs no tool; a test fails when one is not current.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { failureNames, failures, openApiDocument } from '@tacit/contract'
import { settingsTable } from '@tacit/server'

interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string
  readonly content: string
}

export const generatedFiles = (): readonly GeneratedFile[] => [
  { path: 'packages/contract/generated/openapi.json', content: `${JSON.stringify(openApiDocument(), null, 2)}\n` },
  { path: 'docs/settings.md', content: settingsPage() },
  { path: 'docs/failures.md', content: failuresPage() },
  { path: 'packages/server/src/disclosure/columns.json', content: `${JSON.stringify(knownColumns(), null, 2)}\n` },
]

/** What the page on what the server knows says of each column, for people who ask their own server. */
function knownColumns(): Record<string, { column: string; what: string; kept: string }[]> {
  const page = readFileSync(resolve(import.meta.dirname, '../docs/what-the-server-knows.md'), 'utf8')
  const tables: Record<string, { column: string; what: string; kept: string }[]> = {}
  let above = ''
  for (const [, table = '', column = '', what = '', kept = ''] of page.matchAll(
    /^\| +([a-z_]+) +\| +([a-z_]+) +\| ([^|]+) \| ([^|]+) \|$/gm,
  )) {
    above = /^as above\b/.test(kept.trim()) ? above : kept.trim()
    const said = what.trim().replaceAll('**', '').replaceAll('_', '')
    ;(tables[table] ??= []).push({ column, what: said, kept: above })
  }
  return tables
}

const NOTICE = '<!-- Written by `npm run generate`; change the table it comes from instead. -->'

function settingsPage(): string {
  const rows = Object.values(settingsTable).map(({ env, default: fallback, sentence, secret }) => [
    `\`${env}\``,
    secret ? '(secret)' : defaultText(fallback),
    sentence,
  ])
  return `# Settings

${NOTICE}

The server needs none of these. Set them in the environment, or in a file that \`TACIT_SETTINGS_FILE\` names: a \`.json\` object,
or lines \`NAME=value\`. The environment wins. A mistake stops the start, and all mistakes are told at once.

${table(['Setting', 'Default', 'What it does'], rows)}
`
}

function failuresPage(): string {
  const rows = failureNames.map((name) => [`\`${name}\``, String(failures[name].status), failures[name].title, failures[name].next])
  return `# Refusals

${NOTICE}

Every refusal of the server has a name. HTTP answers carry it as \`application/problem+json\` with the status below and a request
id; on the socket it is the third field of a refused frame.

${table(['Name', 'Status', 'What it means', 'What to do'], rows)}
`
}

/** Padded, as the formatter wants it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n')
}

function defaultText(value: string | number | boolean | readonly string[]): string {
  const text = typeof value === 'object' ? value.join(',') : String(value)
  return text === '' ? '(empty)' : `\`${text}\``
}

if (import.meta.main) {
  for (const { path, content } of generatedFiles()) {
    const file = resolve(import.meta.dirname, '..', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}
