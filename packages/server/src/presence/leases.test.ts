import { describe } from 'vitest'
import { leasesConformance } from './leases.conformance.ts'
import { OwnLeases } from './leases.ts'

describe('the leases of a single process', () => {
  leasesConformance(() => {
    const clock = { time: 1_800_000_000_000, now: () => clock.time }
    const leases = new OwnLeases(clock)
    return Promise.resolve({ holding: leases, asking: leases, pass: (milliseconds: number) => void (clock.time += milliseconds) })
  })
})
