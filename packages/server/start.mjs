/**
 * Starts main.ts with a compile cache. Types are then stripped once and not at each start, which costs time and, for as long
 * as the process lives, memory; this one file is plain JavaScript, because it runs before there is a cache.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Beside the dependencies: whoever may write there decides what runs anyway. Where nobody may, there is no cache and no harm.
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/tacit'))
await import('./src/main.ts')
