/**
 * Handles: what people are called. ASCII only, so that no look-alike letter of another script can impersonate somebody;
 * unique after folding what looks alike within ASCII too. The spelling the person chose is kept and shown.
 */
import { z } from 'zod'
import { limits } from './limits.ts'

const HANDLE = /^[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*$/

const RESERVED = [
  'admin',
  'administrator',
  'root',
  'system',
  'tacit',
  'support',
  'help',
  'security',
  'moderator',
  'official',
  'server',
  'everyone',
  'here',
  'all',
  'null',
  'undefined',
  'deleted',
]

export const Handle = z
  .string()
  .min(limits.handleMin)
  .max(limits.handleMax)
  .regex(HANDLE, 'expected letters, digits, and single dots, dashes or underscores between them')
  .brand<'Handle'>()
export type Handle = z.output<typeof Handle>

/** The form under which a handle is looked up: lower case. */
export const foldHandle = (handle: string): string => handle.toLowerCase()

/**
 * The form under which a handle must be unique: two handles with one skeleton are easily taken for each other
 * (after Unicode UTS #39, restricted to ASCII).
 */
export function handleSkeleton(handle: string): string {
  return foldHandle(handle)
    .replaceAll(/[._-]/g, '')
    .replaceAll('0', 'o')
    .replaceAll(/[1i|]/g, 'l')
    .replaceAll('5', 's')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
}

const reservedSkeletons = new Set(RESERVED.map(handleSkeleton))

/** Whether the name is kept from everybody. */
export const isReservedHandle = (handle: string): boolean => reservedSkeletons.has(handleSkeleton(handle))
