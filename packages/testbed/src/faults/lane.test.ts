import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConversationId, decodeFromServer, decodeResult, DeviceId, encodeAccepted } from '@tacit/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Lane, type LaneSocket } from './lane.ts'
import { Recorder } from './recorder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-lane-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const conversation = ConversationId.parse('A'.repeat(22))
const device = DeviceId.parse('A'.repeat(22))

/** A lane of a conversation that is at its seventh epoch. */
function laneOf(pipeline: number): Lane {
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
  return new Lane({ conversation, device, hears, pipeline, epoch: 7, clientSeq: 0 })
}

test('D-6: an entry from before an epoch that the device knows already does not take it back', async () => {
  const lane = laneOf(2)
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

test('D-11: what was accepted is a part of the log before anybody has it, so that nobody counts as having everything', async () => {
  const lane = laneOf(1)
  const closed = Promise.withResolvers<void>()
  const result = { seq: 9, hash: new Uint8Array(32), duplicate: false }
  const answer = decodeFromServer(encodeAccepted({ ref: 1, name: 'delivery.send', result }))
  const command: LaneSocket['command'] = (name) => {
    closed.resolve()
    if (answer.type !== 'accepted') throw new Error('an answer is an answer')
    return Promise.resolve({ ok: true, result: decodeResult(name, answer.result) })
  }
  lane.write(1)
  await lane.talk({ command, drop: () => Promise.resolve(0) }, closed.promise)
  await expect.poll(() => lane.outbox).toBe(0)
  expect({ cursor: lane.cursor, head: lane.head }).toEqual({ cursor: 0, head: 9 })
})
