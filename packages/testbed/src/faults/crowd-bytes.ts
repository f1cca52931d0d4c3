/** What the crowd's messages are made of: to the server ciphertext, to the crowd an id at the end. */
import { createHash, randomBytes } from 'node:crypto'

const ID_LENGTH = 16

export const newMessageId = (): string => randomBytes(ID_LENGTH / 2).toString('hex')

export const messageIn = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(-ID_LENGTH)).toString('latin1')

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
