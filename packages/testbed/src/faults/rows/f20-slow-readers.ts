/** F-20: devices that never read what they are sent. The server's memory and the others' waiting times stay what they were. */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { WireSocket } from '../../wire-device.ts'
import type { Crowd } from '../crowd.ts'
import type { CrowdMember } from '../crowd-member.ts'
import { quantile, type Figure, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

/** What one of them may cost the server, bytes. */
const EACH = 1.5 * 1024 * 1024

/** The others' 99th percentile may grow by so much, per cent. */
const GROWTH = 20

/** Measured in pairs, without them and with them; the median of the ratios is judged, because other programs run on this machine. */
const PAIRS = 5
const PART = 1500

/** A steady load that the server carries with ease: what would be measured at its limit is the limit. */
const EVERY = 20

const TALKERS = 6

export const slowReaders: Row = {
  id: 'F-20',
  name: 'devices that never read',
  short: 20,
  alone: true,
  long: 500,
  async run(injections) {
    const everybody = Array.from({ length: TALKERS + injections }, (_, at) => at)
    const conversations = [everybody, [1, 0], [2, 3], [4, 5]]
    const ratios: number[] = []
    let growth = 0
    const end = await playScene({ crowd: { devices: everybody.length, conversations } }, async ({ server, crowd }) => {
      const slow = crowd.members.slice(TALKERS)
      await Promise.all(slow.map((member) => member.stop()))
      const talking = setInterval(() => crowd.members.slice(0, TALKERS).forEach((member) => member.write(1)), EVERY)
      for (let pair = 0; pair < PAIRS; pair++) {
        const without = await timesOf(crowd)
        const before = residentBytes(server.pid)
        const sockets = await Promise.all(slow.map(async (member) => turnDeaf(member)))
        const withThem = await timesOf(crowd)
        growth = Math.max(growth, (residentBytes(server.pid) - before) / injections)
        await Promise.all(sockets.map((socket) => socket.drop()))
        ratios.push(quantile(withThem, 0.99) / quantile(without, 0.99))
      }
      clearInterval(talking)
      slow.forEach((member) => member.start())
    })
    const percent = (quantile(ratios, 0.5) - 1) * 100
    const figures: Figure[] = [
      { name: 'memory of each', value: Math.round(growth / 1024), unit: 'KiB', limit: EACH / 1024 },
      { name: 'p99 of the others (median of pairs)', value: Math.round(percent), unit: '%', limit: GROWTH },
    ]
    const says = growth > EACH ? 'they cost the server too much memory' : undefined
    return outcomeOf(end, { injections, says, figures })
  },
}

async function turnDeaf(member: CrowdMember): Promise<WireSocket> {
  const socket = await WireSocket.open({ url: member.hears.address(), accessToken: member.device.accessToken, onEvent: () => undefined })
  const cursors = [...member.lanes].map(([conversation, { cursor }]) => ({ conversation, seq: cursor }))
  void socket.command('delivery.resume', { cursors })
  socket.stopReading()
  return socket
}

async function timesOf(crowd: Crowd): Promise<readonly number[]> {
  await pause(300)
  crowd.measure()
  await pause(PART)
  return crowd.acceptTimes
}

const PAGE = 4096

const residentBytes = (pid: number): number => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE
