import { describe } from 'vitest'
import { busConformance } from './conformance.ts'
import { createInProcessBus } from './in-process.ts'

describe('the bus of a single process', () => {
  busConformance(() => {
    const faults: unknown[] = []
    const bus = createInProcessBus((error) => faults.push(error))
    return Promise.resolve({ ringing: bus, listening: bus, faults, settled: () => Promise.resolve() })
  })
})
