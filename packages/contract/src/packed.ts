/**
 * Frame bodies as arrays: an object schema's fields become array positions in the order they are declared, all the way
 * down. The mapping is compiled once per schema. Shapes are checked by zod afterwards, so unpacking only refuses what
 * has the wrong number of fields.
 */
import type { z } from 'zod'
import { CborError, type CborValue } from './cbor.ts'

export interface Packing {
  pack(value: unknown): CborValue
  /** Plain data, still to be checked by the schema. */
  unpack(value: CborValue): unknown
}

const asIs: Packing = { pack: (value) => value as CborValue, unpack: (value) => value }

export function packingOf(schema: z.core.$ZodType): Packing {
  const { def } = schema._zod
  if (isObject(def)) return objectPacking(Object.entries(def.shape).map(([name, field]) => [name, packingOf(field)] as const))
  if (isArray(def)) return arrayPacking(packingOf(def.element))
  return asIs
}

const isObject = (def: z.core.$ZodTypeDef): def is z.core.$ZodObjectDef => def.type === 'object'
const isArray = (def: z.core.$ZodTypeDef): def is z.core.$ZodArrayDef => def.type === 'array'

function objectPacking(fields: readonly (readonly [string, Packing])[]): Packing {
  return {
    pack: (value) => fields.map(([name, field]) => field.pack((value as Record<string, unknown>)[name])),
    unpack(value) {
      if (!Array.isArray(value) || value.length !== fields.length) throw new CborError('wrong number of fields')
      const object: Record<string, unknown> = {}
      for (const [at, [name, field]] of fields.entries()) object[name] = field.unpack(value[at] as CborValue)
      return object
    },
  }
}

function arrayPacking(element: Packing): Packing {
  return {
    pack: (value) => (value as readonly unknown[]).map((item) => element.pack(item)),
    unpack(value) {
      if (!Array.isArray(value)) throw new CborError('expected an array')
      return value.map((item) => element.unpack(item as CborValue))
    },
  }
}
