import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConversationId, DeviceId } from '@tacit/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Lane } from './lane.ts'
import { Recorder } from './recorder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-lane-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('D-6: an entry from before an epoch that the device knows already does not take it back', async () => {
  const recorder = new Recorder(join(folder, 'history.jsonl'))
  const hears = {
    recorder,
    address: () => '',
    accepted: () => undefined,
    delivered: () => undefined,
    offered: () => undefined,
    refused: () => undefined,
    lost: () => undefined,
  }
  const conversation = ConversationId.parse('A'.repeat(22))
  const device = DeviceId.parse('A'.repeat(22))
  const lane = new Lane({ conversation, device, hears, pipeline: 2, epoch: 7, clientSeq: 0 })
  const epochs: number[] = []
  const closed = Promise.withResolvers<void>()
  const talking = lane.talk(
    {
      command: (_name, body: object) => {
        if ('epoch' in body) epochs.push(Number(body.epoch))
        if (epochs.length === 2) closed.resolve()
        return new Promise(() => undefined)
      },
      drop: () => Promise.resolve(0),
    },
    closed.promise,
  )
  lane.kept({ seq: 1, epoch: 3, kind: 'commit', sender: device, clientSeq: 1, time: 1, bytes: new Uint8Array() }, 'not its own')
  lane.write(2)
  await talking
  expect(epochs).toEqual([7, 7])
})
