/** The engine over ts-mls passes the port's suite in both of its ciphersuites. */
import { engineConformance } from '../engine.conformance.ts'
import { createTsMlsEngine } from './engine.ts'

engineConformance('ts-mls, classic suite', () => createTsMlsEngine({ suite: 'classic' }))
engineConformance('ts-mls, hybrid suite', () => createTsMlsEngine())
