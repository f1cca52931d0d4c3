/** A walk from the command line: `npm run walk -- --seed 7 --commits 10000 --members 32 --suite 1`. */
import { parseArgs } from 'node:util'
import { walk } from './walk.ts'

const option = { type: 'string' } as const
const { values } = parseArgs({ options: { seed: option, commits: option, members: option, suite: option } })
const begun = performance.now()
const options = {
  suite: Number(values.suite ?? 1),
  seed: Number(values.seed ?? 1),
  commits: Number(values.commits ?? 500),
  members: Number(values.members ?? 32),
}
let told = 0
const result = await walk({
  ...options,
  report: ({ commits, members }) => {
    if (commits < told + 100) return
    told = commits
    console.log(`${commits} commits, ${members} members`)
  },
})
const [seconds, cpu] = [(performance.now() - begun) / 1000, process.cpuUsage()]
console.log(
  JSON.stringify({ ...options, ...result, seconds: Math.round(seconds), cpuSeconds: Math.round((cpu.user + cpu.system) / 1e6) }, null, 2),
)
