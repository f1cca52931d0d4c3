/** `npm run check-history -- <history.jsonl>`: prints the violations with the lines that prove them; exit 0 only without any. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { checkHistory } from './checker.ts'

const [file = ''] = process.argv.slice(2)
const { lines, acknowledged, delivered, violations } = await checkHistory(createReadStream(file))
const shown = violations.slice(0, 20)
const proof = new Map(shown.flatMap((violation) => violation.lines).map((number) => [number, '']))
let number = 0
for await (const line of createInterface({ input: createReadStream(file) })) if (proof.has(++number)) proof.set(number, line)
for (const { id, says, lines: at } of shown) console.log([`${id}: ${says}`, ...at.map((one) => `  ${one}: ${proof.get(one)}`)].join('\n'))
console.log(`${lines} lines, ${acknowledged} acknowledged, ${delivered} delivered, ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
