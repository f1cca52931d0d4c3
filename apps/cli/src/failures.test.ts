import { expect, test } from 'vitest'
import { CommanderError } from 'commander'
import { MessengerError } from '@tacit/sdk'
import { exitCodesHelp, exits } from './exits.ts'
import { CliFailure, explain } from './failures.ts'

test('a failure of the SDK is its sentence, what to do, and a stable exit code', () => {
  expect(explain(new MessengerError('session_ended', 'The session of @alice has ended.'))).toEqual({
    failure: 'session_ended',
    sentence: 'The session of @alice has ended.',
    next: 'Sign in again with `tacit sign-in <handle>`.',
    exit: 3,
  })
})

test('when the server says how long to wait, the person is told', () => {
  expect(explain(new MessengerError('rate_limited', 'Too many requests.', { retryAfter: 12 })).next).toBe('Try again in 12 seconds.')
})

test('a command that was not understood ends with the code for usage', () => {
  const error = new CommanderError(1, 'commander.unknownOption', "error: unknown option '--jsn'\n(Did you mean --json?)")
  expect(explain(error)).toMatchObject({ sentence: "Unknown option '--jsn' (Did you mean --json?)", exit: exits.usage })
})

test('advice that only the place of the failure knows is kept', () => {
  expect(explain(new CliFailure('not_found', 'There is no conversation “x”.', 'See `tacit list`.'))).toMatchObject({
    next: 'See `tacit list`.',
    exit: 4,
  })
})

test('anything else is a defect and says so', () => {
  expect(explain(new TypeError('x is undefined'))).toMatchObject({ failure: 'unexpected', exit: 1 })
})

test('every exit code is in the help', () => {
  for (const code of Object.values(exits)) expect(exitCodesHelp).toMatch(new RegExp(`\\b${code}\\b`))
})
