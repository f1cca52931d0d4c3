/**
 * What stands in front of several servers: a reverse proxy as small as can be, one for each device of a test, so that the test
 * says at which server a device is. A connection goes to the server that is wanted, or else to the next one that answers.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class Doorway {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #ports: readonly number[]
  #wanted: number

  private constructor(ports: readonly number[], wanted: number) {
    this.#ports = ports
    this.#wanted = wanted
    this.#server = createServer((near) => this.#pass(near, this.#wanted, this.#ports.length))
  }

  /** `ports` of the servers on loopback; `wanted` counts them from 0. */
  static async to(ports: readonly number[], wanted: number): Promise<Doorway> {
    const doorway = new Doorway(ports, wanted)
    await new Promise<void>((resolve) => doorway.#server.listen(0, '127.0.0.1', resolve))
    return doorway
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** New connections go there first; those that are open stay where they are. */
  lead(wanted: number): void {
    this.#wanted = wanted
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(near: Socket, at: number, attempts: number): void {
    const far = connect(this.#ports[at % this.#ports.length] ?? 0, '127.0.0.1')
    near.on('error', () => far.destroy())
    far.once('error', () => (attempts > 1 ? this.#pass(near, at + 1, attempts - 1) : near.destroy()))
    far.once('connect', () => {
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one)
        one.pipe(other)
        one.on('error', () => other.destroy())
        one.on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
      }
    })
  }
}
