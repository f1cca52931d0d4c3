/** What a process costs, from /proc (Linux): CPU time of user and kernel, and memory that is resident. */
import { readFileSync } from 'node:fs'

/** The kernel counts CPU time in ticks of 10 ms. */
const MICROSECONDS_PER_TICK = 10_000

/** User and system time since the process began, microseconds. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets and may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)
  return Number(line?.[1] ?? 0) * 1024
}
