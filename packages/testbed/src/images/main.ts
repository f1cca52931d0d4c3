/**
 * `npm run images -- [--images N] [--messages N] [--json FILE]`: records a real server on SQLite and checks what power cuts could
 * have left of its database; then once more with a server that does not wait for the disk, which must be found out. Exit 0
 * only if the first is without violations and the second is not.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkImages } from './images.ts'
import { record } from './recording.ts'

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '400' },
    messages: { type: 'string', default: '900' },
    json: { type: 'string' },
    'without-control': { type: 'boolean', default: false },
  },
})

const began = performance.now()
const [images, messages] = [Number(values.images), Number(values.messages)]
const report = checkImages(await record({ messages }), { images, seed: 1 })
for (const line of report.says) console.log(line)
const control = values['without-control']
  ? undefined
  : checkImages(await record({ messages: 300, careless: true }), { images: 60, seed: 2 })
const seconds = Math.round((performance.now() - began) / 100) / 10
const summary = { ...report, controlViolations: control?.violations, seconds }
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary, undefined, 2)}\n`)
const caught = control ? `, control with synchronous=NORMAL: ${control.violations} of ${control.images} images violate` : ''
console.log(`images: ${images} images of ${report.acknowledged} acknowledged, ${report.violations} violations${caught}, ${seconds} s`)
process.exit(report.violations === 0 && control?.violations !== 0 ? 0 : 1)
