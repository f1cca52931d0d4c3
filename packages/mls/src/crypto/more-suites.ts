/** The ciphersuites of RFC 9420 section 17.1 beside the usual ones. `loadSuite` loads this module when one of them is asked for. */
import { AES_128_GCM, AES_256_GCM } from './aead.ts'
import { SHA256, SHA384 } from './hash.ts'
import { DHKEM_X25519 } from './kem.ts'
import {
  CHACHA20_POLY1305,
  DHKEM_P256,
  DHKEM_P384,
  DHKEM_P521,
  DHKEM_X448,
  ECDSA_P256,
  ECDSA_P384,
  ECDSA_P521,
  SHA512,
  ED448,
} from './more-primitives.ts'
import { ED25519 } from './signature.ts'
import type { SuiteParts } from './suite.ts'

export const MORE_SUITES: readonly SuiteParts[] = [
  { id: 0x0002, name: 'P-256', kem: DHKEM_P256, hash: SHA256, aead: AES_128_GCM, signature: ECDSA_P256 },
  { id: 0x0003, name: 'X25519', kem: DHKEM_X25519, hash: SHA256, aead: CHACHA20_POLY1305, signature: ED25519 },
  { id: 0x0004, name: 'X448', kem: DHKEM_X448, hash: SHA512, aead: AES_256_GCM, signature: ED448 },
  { id: 0x0005, name: 'P-521', kem: DHKEM_P521, hash: SHA512, aead: AES_256_GCM, signature: ECDSA_P521 },
  { id: 0x0006, name: 'X448', kem: DHKEM_X448, hash: SHA512, aead: CHACHA20_POLY1305, signature: ED448 },
  { id: 0x0007, name: 'P-384', kem: DHKEM_P384, hash: SHA384, aead: AES_256_GCM, signature: ECDSA_P384 },
]
