/**
 * All of RFC 9420 for those who need more than the port: proposals of every kind, handshakes in both framings, PSKs,
 * ReInit and branching. Every function takes and gives the same groups as the engine does; failures are `MlsError`.
 */
import { guarded } from '../group/guarded.ts'
import * as continuing from './continuing.ts'
import * as entering from './entering.ts'
import * as outside from './outside.ts'
import * as receiving from './receiving.ts'
import * as sending from './sending.ts'

const door =
  <Arguments extends readonly unknown[], Result>(work: (...given: Arguments) => Promise<Result>) =>
  (...given: Arguments): Promise<Result> =>
    guarded(() => work(...given))

/** A key package of any suite and kind of credential (section 10). */
export const keyPackage = door(entering.keyPackage)
/** A group of one (section 11). */
export const found = door(entering.found)
/** Joins any group by Welcome (section 12.4.3.1). */
export const join = door(entering.join)
/** Joins any group by an external commit (section 12.4.3.2). */
export const joinExternal = door(entering.joinExternal)
/** A proposal by a party that the group lists as external sender (section 12.1.8.1). */
export const proposeAsExternal = door(outside.proposeAsExternal)
/** A newcomer's proposal to be added (section 12.1.8). */
export const proposeOwnAdd = door(outside.proposeOwnAdd)
/** A proposal of any kind, the own Update included, that waits for a commit (section 12.1). */
export const propose = door(sending.propose)
/** A commit of anything that may be committed, in either framing (section 12.4). */
export const commit = door(sending.commit)
/** An accepted commit's group as it goes on from the current one (section 14). */
export { mergeCommit as merge } from '../group/merging.ts'
/** A GroupInfo by which newcomers can join from outside (section 12.4.3.2). */
export const groupInfo = door(sending.groupInfo)
/** Receives a message, proposal or commit in either framing (sections 6 and 12.4.2). */
export const receive = door(receiving.receive)
/** Erases the keys of skipped messages that were kept for too long, when no message comes by to do it (section 9.2). */
export const forgetSkipped = door(receiving.forget)
/** The group that a committed ReInit announced (section 11.2). */
export const reinitialise = door(continuing.reinitialise)
/** A subgroup tied to the current epoch (section 11.3). */
export const branch = door(continuing.branch)
/** Joins a group that continues another one, and checks that it does (sections 11.2 and 11.3). */
export const joinContinued = door(continuing.joinContinued)
export { findResumption, resumptionKey } from './continuing.ts'
export { externalSenders, requiredCapabilities } from './outside.ts'
export type { Entered } from './entering.ts'
export type { KnownGroup } from './outside.ts'
export type { Continuation, ResumptionKey } from './continuing.ts'
export type { Received, ReceiveHooks } from './receiving.ts'
export type { Framing, Proposable, ProposeRequest, ProtocolCommit, ProtocolPending, PskName, Wanted } from './sending.ts'
