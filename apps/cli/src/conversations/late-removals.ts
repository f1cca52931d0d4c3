/** Removals that the server does not accept, in words. */
import type { WaitingRemoval } from '@tacit/sdk'
import { printable } from '../terminal/printable.ts'
import { dateAndTime } from '../terminal/when.ts'

/** A sentence for each removal that the server does not accept. */
export const lateRemovals = (removals: readonly WaitingRemoval[]): readonly string[] =>
  removals
    .filter(({ late }) => late)
    .map(
      ({ person, asked }) =>
        `NOT REMOVED YET: @${printable(person.handle)} still reads what is written. You asked for it ${dateAndTime(asked)}; the server has not accepted it.`,
    )
