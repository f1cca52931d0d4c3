/** `npm run check`: everything that can be said about the code without running the product. Runs all, then reports. */
import { spawnSync } from 'node:child_process'

const steps: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: ['tsc', '-b'] },
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings', 'packages', 'apps', 'bench', 'journeys', 'tools'] },
  { name: 'layers', command: ['node', 'tools/check-layers.ts'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
]

const failed = steps.filter(({ name, command }) => {
  const [program = '', ...args] = command
  const started = performance.now()
  const { status } = spawnSync(program, args, { stdio: 'inherit' })
  console.log(`check ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return status !== 0
})

process.exitCode = failed.length === 0 ? 0 : 1
