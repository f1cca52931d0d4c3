/** F-35: somebody opens more connections than the server may have files. It goes on, and serves others once they are gone. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { milliseconds, worst, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

/** What the server may have open, and what is opened towards it. */
const FILES = 128
const CONNECTIONS = 300

export const descriptors: Row = {
  id: 'F-35',
  name: 'no file descriptors left',
  short: 1,
  long: 10,
  async run(injections) {
    const recovered: number[] = []
    let died = false
    const runner = ['bash', '-c', `ulimit -n ${FILES}; exec "$0" "$@"`]
    const end = await playScene({ runner }, async ({ server, crowd, recorder }) => {
      void server.ended.then(() => (died = true))
      for (let time = 0; time < injections; time++) {
        crowd.talk()
        await crowd.acceptedReaches(crowd.accepted + 200)
        const sockets = await openMany(Number(new URL(server.url).port))
        for (const member of crowd.members) void member.reconnect()
        await pause(1000)
        for (const socket of sockets) socket.destroy()
        recovered.push(await crowd.nextAccept(recorder.now()))
      }
      if (died) throw new Error('the server ended')
    })
    return outcomeOf(end, { injections, says: undefined, figures: [milliseconds('gone to first accept', worst(recovered), 5000)] })
  },
}

function openMany(port: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      await Promise.race([once(socket, 'connect'), once(socket, 'close'), pause(500)])
      return socket
    }),
  )
}
