/**
 * Where the password comes from: standard input, a file, or the person at the terminal, never the command line, which
 * every user of the machine can read.
 */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { CliFailure } from '../failures.ts'
import type { World } from '../world.ts'
import { typeHidden } from './hidden-input.ts'

export interface PasswordRequest {
  readonly world: World
  /** Read it from standard input, one line. */
  readonly fromStdin: boolean
  /** Ask twice, because nobody could tell later that it was mistyped. */
  readonly isNew: boolean
}

/** The password in clear. Throws `CliFailure` when there is none, when the two differ, or when the person cancelled. */
export async function readPassword({ world, fromStdin, isNew }: PasswordRequest): Promise<string> {
  const file = world.env['TACIT_PASSWORD_FILE']
  if (fromStdin) return firstLine(await text(world.stdin), 'standard input')
  if (file) return firstLine(readPasswordFile(file), file)
  const { stdin } = world
  if (!stdin.isTTY) throw new CliFailure('usage', 'A password is needed.', 'Use --password-stdin, or name a file in TACIT_PASSWORD_FILE.')
  const password = await ask(world, 'Password: ')
  if (isNew && (await ask(world, 'The same again: ')) !== password) throw new CliFailure('usage', 'The two passwords differ.', 'Try again.')
  return password
}

function readPasswordFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CliFailure('usage', `The password file ${file} cannot be read.`)
  }
}

function firstLine(whole: string, source: string): string {
  const [line = ''] = whole.split(/\r?\n/, 1)
  if (line === '') throw new CliFailure('usage', `There is no password in the first line of ${source}.`)
  return line
}

/** A secret that the person types at the terminal. Throws `CliFailure` when there is no terminal, or they cancelled. */
export async function askHidden(world: World, question: string): Promise<string> {
  if (!world.stdin.isTTY) throw new CliFailure('usage', 'This is asked for at a terminal.', 'Use --password-stdin.')
  return ask(world, question)
}

// On stderr, so that an answer on stdout can be piped while the person types.
async function ask({ stdin, stderr }: World, question: string): Promise<string> {
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  try {
    let typed = ''
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      const input = typeHidden(typed, String(chunk))
      if (input.kind === 'cancelled') throw new CliFailure('interrupted', 'Cancelled.')
      if (input.kind === 'entered') return input.text
      typed = input.text
    }
    throw new CliFailure('interrupted', 'Cancelled.')
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
