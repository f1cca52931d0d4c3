import { expect, test } from 'vitest'
import { commands, events, routes } from './contract.ts'
import { failures } from './failures.ts'
import { contractFingerprint, openApiDocument } from './openapi.ts'
import { CONTRACT_VERSION, history, OLDEST_CONTRACT } from './version.ts'

test('the wire is the one that the newest history line describes: a change needs a new line in version.ts', async () => {
  expect(history.at(-1)?.fingerprint).toBe(await contractFingerprint())
})

test('history is numbered from 1 without gaps, ends with the current version, and the floor is in it', () => {
  expect(history.map((line) => line.version)).toEqual(history.map((_, at) => at + 1))
  expect(history.at(-1)?.version).toBe(CONTRACT_VERSION)
  expect(history.some((line) => line.version === OLDEST_CONTRACT)).toBe(true)
})

test('codes of commands and events are used once each', () => {
  for (const table of [commands, events]) {
    const codes = Object.values<Record<string, { code: number }>>(table).flatMap((room) => Object.values(room).map((spec) => spec.code))
    expect(new Set(codes).size).toBe(codes.length)
  }
})

test('every route is an operation of the OpenAPI document, with its refusals', () => {
  const { paths } = openApiDocument() as {
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, { description: string }> }>>
  }
  const operations = Object.values(paths).flatMap((path) => Object.values(path))
  for (const [room, verbs] of Object.entries(routes)) {
    for (const [verb, spec] of Object.entries(verbs)) {
      const operation = operations.find((one) => one.operationId === `${room}.${verb}`)
      expect(Object.keys(operation?.responses ?? {})).toContain(String(spec.status))
      for (const name of spec.failures as readonly (keyof typeof failures)[]) {
        expect(operation?.responses[String(failures[name].status)]?.description).toContain(failures[name].title)
      }
    }
  }
})

test('bytes appear in the document as base64url text with their bounds', () => {
  expect(JSON.stringify(openApiDocument())).toContain('"contentEncoding":"base64url"')
})

test('the document refers only to what it holds', () => {
  const references = JSON.stringify(openApiDocument()).match(/"\$ref":"[^"]+"/g)
  expect(new Set(references)).toEqual(new Set(['"$ref":"#/components/schemas/Problem"']))
})
