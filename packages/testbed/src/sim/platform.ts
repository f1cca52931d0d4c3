/**
 * What this JavaScript process believes about time, chance and threads while it simulates: timers, clocks and random
 * numbers are the simulation's, and cryptography runs where it is called. To be imported before anything of the product,
 * which keeps what it finds at its start. Only for processes that do nothing else.
 */
import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { Dice } from './dice.ts'
import { Loop, runningProcess } from './loop.ts'
import { synchronousSubtle } from './synchronous-crypto.ts'

/** Simulated worlds begin here: 2026-01-01. */
export const BEGINNING = Date.UTC(2026, 0, 1)

let loop = new Loop(BEGINNING)
let chance = new Dice('before the first world')

/** A new world begins: no timer of the last one rings any more. */
export function beginWorld(world: { readonly now: number; readonly dice: Dice }): Loop {
  loop = new Loop(world.now)
  chance = world.dice.named('platform')
  return loop
}

const dice = (): Dice => runningProcess()?.keyDice ?? chance

/** What timers return in Node, as far as libraries use it. */
class Timer {
  #stop: () => void

  constructor(stop: () => void) {
    this.#stop = stop
  }

  stop(): void {
    this.#stop()
  }

  /** A timer that rings again and again plans its next time here. */
  planned(stop: () => void): void {
    this.#stop = stop
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}

function every(work: (...given: unknown[]) => void, delay = 0, ...given: unknown[]): Timer {
  const world = loop
  let stopped = false
  const again = (): (() => void) =>
    world.after(Math.max(1, delay), () => {
      work(...given)
      if (!stopped) timer.planned(ending(again()))
    })
  const ending = (stop: () => void) => () => {
    stopped = true
    stop()
  }
  const timer = new Timer(() => undefined)
  timer.planned(ending(again()))
  return timer
}

const stopTimer = (timer: unknown): void => {
  if (timer instanceof Timer) timer.stop()
}

Object.assign(globalThis, {
  setTimeout: (work: (...given: unknown[]) => void, delay = 0, ...given: unknown[]) =>
    new Timer(loop.after(Math.max(1, delay), () => work(...given))),
  setInterval: every,
  setImmediate: (work: (...given: unknown[]) => void, ...given: unknown[]) => new Timer(loop.soon(() => work(...given))),
  clearTimeout: stopTimer,
  clearInterval: stopTimer,
  clearImmediate: stopTimer,
})

Date.now = () => loop.now()
performance.now = () => loop.now() - BEGINNING
Math.random = () => dice().fraction()

Object.defineProperty(globalThis, 'crypto', {
  configurable: true,
  value: {
    subtle: synchronousSubtle,
    getRandomValues: <T extends ArrayBufferView>(into: T): T => {
      dice().fill(new Uint8Array(into.buffer, into.byteOffset, into.byteLength))
      return into
    },
    randomUUID: () => {
      const hex = Buffer.from(dice().bytes(16)).toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
    },
  },
})

type KeyPairs = typeof nodeCrypto.generateKeyPairSync
const generate: (type: string, ...rest: unknown[]) => unknown = nodeCrypto.generateKeyPairSync as KeyPairs & ((type: string) => unknown)

/** Key pairs of the curves from drawn bytes; ML-KEM draws its own, and no order depends on what it draws. */
function drawnKeyPair(type: string, ...rest: unknown[]): unknown {
  const oid = type === 'ed25519' ? 0x70 : type === 'x25519' ? 0x6e : undefined
  if (oid === undefined || rest.length > 0) return generate(type, ...rest)
  const head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, oid, 4, 0x22, 4, 0x20]
  const privateKey = nodeCrypto.createPrivateKey({ key: Buffer.from([...head, ...dice().bytes(32)]), format: 'der', type: 'pkcs8' })
  return { privateKey, publicKey: nodeCrypto.createPublicKey(privateKey) }
}

Object.assign(nodeCrypto, {
  generateKeyPairSync: drawnKeyPair,
  randomFillSync: (into: NodeJS.ArrayBufferView, from = 0, length = into.byteLength - from) => {
    dice().fill(new Uint8Array(into.buffer, into.byteOffset + from, length))
    return into
  },
  randomBytes: (length: number) => Buffer.from(dice().bytes(length)),
})
syncBuiltinESMExports()
