/** What a process costs, from /proc (Linux): CPU time of user and kernel, and memory that is resident. */
import { readFileSync } from 'node:fs'

/** The kernel counts CPU time in ticks of 10 ms. */
const MICROSECONDS_PER_TICK = 10_000

/** User and system time since the process began, microseconds. */
export function cpuMicroseconds(pid: number): number {
  const { utime, stime } = times(pid)
  return (utime + stime) * MICROSECONDS_PER_TICK
}

/** Of a process, its children, and the children that have ended, microseconds. */
export function familyMicroseconds(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  const { utime, stime, cutime, cstime } = times(pid)
  return (utime + stime + cutime + cstime) * MICROSECONDS_PER_TICK + children.reduce((sum, child) => sum + cpuMicroseconds(child), 0)
}

function times(pid: number): { utime: number; stime: number; cutime: number; cstime: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets and may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number)
  return { utime, stime, cutime, cstime }
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)
  return Number(line?.[1] ?? 0) * 1024
}
