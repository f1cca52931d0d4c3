import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { watchDiskSpace, type DiskWatch } from './disk-space.ts'

const MIB = 1024 * 1024

let folder: string
let free: number
let space: DiskWatch
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-space-'))
  free = 500 * MIB
  space = await watchDiskSpace({ folder, minFreeMib: 64, freeOn: () => Promise.resolve(free) })
})
afterEach(() => {
  space.close()
  rmSync(folder, { recursive: true })
})

const ballast = () => join(folder, 'ballast')

async function withFree(mib: number): Promise<void> {
  free = mib * MIB
  await space.look()
}

test('what is new is refused below the limit, and taken again above it', async () => {
  await withFree(63)
  expect(() => space.assertRoom()).toThrow('short of disk space')
  await withFree(65)
  expect(() => space.assertRoom()).not.toThrow()
})

test('ballast is thrown out when the disk is full to the end, and comes back when there is room for it', async () => {
  await withFree(500)
  expect(statSync(ballast()).size).toBe(16 * MIB)
  await withFree(20)
  expect(existsSync(ballast())).toBe(true)
  await withFree(7)
  expect(existsSync(ballast())).toBe(false)
  await withFree(70)
  expect(existsSync(ballast())).toBe(false)
  await withFree(81)
  expect(existsSync(ballast())).toBe(true)
})

test('the disk is looked at every second without being asked', async () => {
  free = 0
  await expect.poll(() => space.isShort(), { timeout: 5000 }).toBe(true)
})
