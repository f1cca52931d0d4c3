import { engineConformance } from '../engine.conformance.ts'
import { createMlsEngine } from './engine.ts'

engineConformance('own engine, hybrid suite', () => createMlsEngine())
engineConformance('own engine, classical suite', () => createMlsEngine({ suite: 1 }))
