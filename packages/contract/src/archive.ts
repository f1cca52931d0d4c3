/**
 * The archive: an account's history, sealed on its devices. The server keeps numbered segments and one sealed head that lists
 * them with their hashes; it can read neither. Every change is one step, compare-and-set on the head's version, so of two
 * devices that write at once the second is told, looks at what the first wrote, and tries again.
 *
 * What is inside: docs/protocol/archive.md.
 */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { limits } from './limits.ts'
import { event, route } from './vocabulary.ts'

/** Counts the changes; 0 before the first. */
const version = z.int().min(0)
const number = z.int().min(1)
const bytesUsed = z.int().min(0)

export const archive = {
  head: route({
    method: 'GET',
    path: '/v1/archive',
    access: 'device',
    summary: 'The head of my archive, and how much room it takes of how much it may',
    result: z.object({ version, bytes: jsonBytes({ max: limits.archiveHead }), used: bytesUsed, quota: bytesUsed }),
    status: 200,
    failures: [],
  }),
  segment: route({
    method: 'GET',
    path: '/v1/archive/segments/:number',
    access: 'device',
    summary: 'One segment of my archive, and the version of the head at that moment',
    params: z.object({ number: z.coerce.number().int().min(1) }),
    result: z.object({ version, bytes: jsonBytes({ max: limits.archiveSegment }) }),
    status: 200,
    failures: [],
  }),
  write: route({
    method: 'PUT',
    path: '/v1/archive',
    access: 'device',
    summary: 'The next head of my archive, with the segments that it adds, replaces and drops, in one step',
    body: z.strictObject({
      /** The next one. */
      version: z.int().min(1),
      head: jsonBytes({ min: 1, max: limits.archiveHead }),
      put: z.array(z.strictObject({ number, bytes: jsonBytes({ min: 1, max: limits.archiveSegment }) })).max(limits.archivePut),
      drop: z.array(number).max(limits.archiveSegments),
      /** Everything that was there before goes, whatever it was. */
      clear: z.boolean(),
    }),
    result: z.object({ version, used: bytesUsed }),
    status: 200,
    failures: ['version_conflict', 'archive_full', 'storage_full'],
  }),
}

export const archiveEvents = {
  changed: event({ code: 12, summary: 'My archive has a new version', body: z.object({ version }) }),
}
