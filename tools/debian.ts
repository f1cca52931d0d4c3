/** Programs that tests need and no package of the lock brings: from Debian, where we may install. */
import { spawnSync } from 'node:child_process'

/** Whether it was tried: only on a Debian, and only by root. */
export function installFromDebian(what: string, packages: readonly string[]): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !works('apt-get', ['--version'])) return false
  console.log(`Installing ${what} from Debian (apt-get install ${packages.join(' ')}) ...`)
  const quiet = {
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
    // Installed services are not started: policy-rc.d says no where there is one, and tests start their own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  }
  spawnSync('apt-get', ['update', '-qq'], quiet)
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet)
  return true
}

const works = (program: string, args: readonly string[]): boolean => spawnSync(program, args, { stdio: 'ignore' }).status === 0
