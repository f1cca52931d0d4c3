/**
 * How the client speaks: answers on stdout, everything else on stderr, one line of JSON each with `--json`. It is the only
 * way out besides the interactive chat, and it filters every line, so no command can print what a terminal would obey.
 */
import type { Writable } from 'node:stream'
import type { Explanation } from '../failures.ts'
import { printable, printableJson } from './printable.ts'

export interface Answer {
  readonly json: unknown
  /** For people; each is one line, whatever it contains. */
  readonly lines: readonly string[]
}

export interface Voice {
  answer(answer: Answer): void
  /** One line of JSON on stdout, with or without `--json`. Resolves when the reader can take more. */
  line(value: unknown): Promise<void>
  /** Something worth knowing that is no answer. */
  notice(sentence: string): void
  complain(explanation: Explanation): void
}

export function voice({ json, stdout, stderr }: { json: boolean; stdout: Writable; stderr: Writable }): Voice {
  return {
    answer(answer) {
      const lines = json ? [printableJson(answer.json)] : answer.lines.map(printable)
      stdout.write(lines.map((line) => `${line}\n`).join(''))
    },
    line(value) {
      return new Promise((resolve) => stdout.write(`${printableJson(value)}\n`, () => resolve()))
    },
    notice(sentence) {
      if (!json) stderr.write(`tacit: ${printable(sentence)}\n`)
    },
    complain({ failure, sentence, next, exit }) {
      const line = json
        ? printableJson({ failure, message: sentence, next, exit })
        : `tacit: ${printable([sentence, next].join(' ').trim())}`
      stderr.write(`${line}\n`)
    },
  }
}
