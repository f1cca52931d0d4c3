/**
 * The product broken on purpose: what stands between each attack and its success, taken away as words to replace in sources. A
 * row that still comes out as promised then proves nothing. Rows that are not here are held up by the keys themselves: there
 * is no check to take away.
 */
import type { Replacement } from '../hooks/replacements.ts'

export interface Break {
  /** The rows that must fail. */
  readonly ids: readonly string[]
  readonly what: string
  readonly changes: readonly Replacement[]
}

const SDK = 'packages/sdk/src'

const unseen: readonly Replacement[] = [
  {
    file: `${SDK}/inbox/count-signed.ts`,
    anchor: "return clientSeq <= last.clientSeq + 1 + last.unopened ? 'next' : 'gap'",
    text: "return 'next'",
  },
  {
    file: `${SDK}/inbox/check-seen.ts`,
    anchor: 'if (seen.seq < entry.seq && (!ours || equalBytes(ours, seen.transcript))) return',
    text: 'if (ours ?? seen) return',
  },
]

const anybody: readonly Replacement[] = [
  {
    file: `${SDK}/devices/authenticate-leaf.ts`,
    anchor: 'if (!equalBytes(person.pin.accountKey, certificate.accountKey)) {',
    text: 'if (!person) {',
  },
  {
    file: `${SDK}/devices/authenticate-leaf.ts`,
    anchor: 'if (isPast || isListed(person, certificate)) return true',
    text: 'if (person) return true',
  },
]

export const breaks: readonly Break[] = [
  {
    ids: ['M-01a'],
    what: 'anybody with an account may join by external commit',
    changes: [
      {
        file: 'packages/contract/src/membership-rule.ts',
        anchor: '  if (!roster.accounts.includes(committer.account)) return false\n',
        text: '',
      },
    ],
  },
  {
    ids: ['M-01b'],
    what: 'whoever is inside takes every Welcome',
    changes: [
      {
        file: `${SDK}/conversations/judge-return.ts`,
        anchor: 'if (!before.some(({ device }) => device === core.device)) return true',
        text: 'if (before.length >= 0) return true',
      },
    ],
  },
  { ids: ['M-02', 'M-03'], what: 'certificates are not held against the pinned key and its list', changes: anybody },
  {
    ids: ['M-04a'],
    what: 'used key packages are kept',
    changes: [
      { file: `${SDK}/keys/key-packages.ts`, anchor: 'where ref = ? and last_resort = 0', text: 'where ref = ? and last_resort = 2' },
    ],
  },
  {
    ids: ['M-04b'],
    what: 'lifetimes are not looked at',
    changes: [
      {
        file: 'packages/mls/src/public/leaf-validation.ts',
        anchor: 'policy.now < notBefore || policy.now > notAfter',
        text: 'policy.now < notBefore',
      },
    ],
  },
  {
    ids: ['M-05'],
    what: 'heads in messages are not compared',
    changes: [
      {
        file: `${SDK}/transparency/key-log.ts`,
        anchor: 'if (isForeign || !(await this.#standTogether(head, known))) {',
        text: 'if (isForeign && !(await this.#standTogether(head, known))) {',
      },
    ],
  },
  {
    ids: ['M-06'],
    what: 'a log that was rewritten is taken',
    changes: [
      {
        file: `${SDK}/transparency/key-log.ts`,
        anchor: 'if (known) await this.#take({ head, bytes: proof.head }, known)',
        text: 'if (known) await this.#adopt(head, proof.head)',
      },
    ],
  },
  { ids: ['M-08', 'M-09', 'M-11', 'M-16a'], what: 'counters and transcripts are not compared', changes: unseen },
  {
    ids: ['M-10'],
    what: 'used generations open again, and ids may repeat',
    changes: [
      {
        file: `${SDK}/inbox/read-message.ts`,
        anchor: "if (place === 'repeat' || (await reading.isRepeat(message, { account: sender.account, text: read.payload.text }))) {",
        text: 'if (seen.seq < 0) {',
      },
      {
        file: `${SDK}/inbox/reading.ts`,
        anchor: '    this.#group = next.group\n',
        text: "    if (!('kind' in next && next.kind === 'message')) this.#group = next.group\n",
      },
      { file: `${SDK}/inbox/reading.ts`, anchor: 'for (const secret of this.#consumed) secret.fill(0)', text: 'this.#consumed.length = 0' },
      {
        file: `${SDK}/inbox/reading.ts`,
        anchor: '    this.#groupChanges.add(next.persist)\n',
        text: "    if (!('kind' in next && next.kind === 'message')) this.#groupChanges.add(next.persist)\n",
      },
    ],
  },
  {
    ids: ['M-12a'],
    what: 'what was sent counts as done',
    changes: [
      {
        file: `${SDK}/outbox/lane.ts`,
        anchor: "    } else if (outcome === 'sent') {\n",
        text: "    } else if (outcome === 'sent') {\n      if ('intent' in sealed && sealed.intent !== undefined) this.#core.decided(sealed.intent)\n",
      },
    ],
  },
  {
    ids: ['M-12a'],
    what: 'nobody counts how long a removal waits',
    changes: [
      {
        file: `${SDK}/conversations/intent.store.ts`,
        anchor: "integer(row, 'waited') + Math.max(",
        text: "integer(row, 'waited') * Math.max(",
      },
    ],
  },
  {
    ids: ['M-12b'],
    what: 'what cannot be read is not shown',
    changes: [
      ...unseen,
      {
        file: `${SDK}/inbox/read-entry.ts`,
        anchor: "const isTold = entry.kind === 'message' ||",
        text: "const isTold = entry.kind !== 'message' &&",
      },
    ],
  },
  {
    ids: ['M-13'],
    what: 'what was answered is waited for, whatever the log says',
    changes: [
      {
        file: `${SDK}/outbox/lane.ts`,
        anchor: "this.#sent === hash && !(step.kind === 'send' && step.overtaken)",
        text: 'this.#sent === hash',
      },
    ],
  },
  {
    ids: ['M-14'],
    what: 'a returning member goes back in time',
    changes: [
      { file: `${SDK}/conversations/join-by-commit.ts`, anchor: 'if (state && epoch < state.epoch &&', text: 'if (state && epoch < 0 &&' },
    ],
  },
  {
    ids: ['M-16b'],
    what: 'the answer counts, not the log',
    changes: [
      { file: `${SDK}/outbox/transmit.ts`, anchor: "if (!answer.duplicate) return 'sent'", text: "if (answer.seq < 0) return 'sent'" },
      {
        file: `${SDK}/outbox/transmit.ts`,
        anchor: 'if (!state || state.cursor < seq || !(await isStillSealed(core, sealed))) return false',
        text: 'if (!state) return false',
      },
    ],
  },
  {
    ids: ['M-17'],
    what: 'signals are not opened, only counted',
    changes: [
      {
        file: `${SDK}/signals/signal.ts`,
        anchor: 'return opened && readSignal(opened)',
        text: "return opened ? readSignal(opened) : { kind: 'receipt', delivered: 1e6, read: 1e6 }",
      },
    ],
  },
  {
    ids: ['M-19'],
    what: 'who could not follow stays away',
    changes: [
      { file: `${SDK}/inbox/read-entry.ts`, anchor: "stuck: state.stuck || reason === 'policy'", text: 'stuck: true' },
      {
        file: `${SDK}/conversations/housekeeping.ts`,
        anchor: '.some((stranded) => stranded.device !== device)',
        text: '.some((stranded) => stranded.device === device)',
      },
    ],
  },
  {
    ids: ['M-22'],
    what: 'an entry that breaks its reading is not passed over',
    changes: [
      { file: `${SDK}/inbox/read-entry.ts`, anchor: "return error instanceof MlsError ? reasonOf(error) : 'unknown'", text: 'throw error' },
      {
        file: `${SDK}/inbox/receive.ts`,
        anchor: "if (outcome.kind === 'broken' && !broken.has(outcome.seq)) broken.add(outcome.seq)",
        text: "if (outcome.kind === 'broken' && outcome.seq < 0) broken.add(outcome.seq)",
      },
    ],
  },
  {
    ids: ['M-23'],
    what: 'keys of messages that were passed over are kept',
    changes: [
      { file: 'packages/mls/src/group/secret-tree.ts', anchor: 'count: wanted.skippedKeys ?? 0,', text: 'count: wanted.skippedKeys ?? 8,' },
      ...unseen,
      {
        file: `${SDK}/inbox/count-signed.ts`,
        anchor: "if (clientSeq <= last.clientSeq) return 'repeat'",
        text: "if (clientSeq < 0) return 'repeat'",
      },
    ],
  },
  {
    ids: ['M-25'],
    what: 'messages stand by the time that the server says',
    changes: [
      {
        file: `${SDK}/messages/timeline.ts`,
        anchor: '${NOT_BLOCKED} order by seq, part`',
        text: '${NOT_BLOCKED} order by time, seq, part`',
      },
    ],
  },
  {
    ids: ['M-29'],
    what: 'the digits say nothing of the keys',
    changes: [
      {
        file: `${SDK}/linking/protocol.ts`,
        anchor: "await sha256(bytesOf('tacit link digits v1', exchange))",
        text: 'await sha256(new Uint8Array(exchange.nonce.length))',
      },
    ],
  },
  {
    ids: ['M-40'],
    what: 'own entries that are not known are passed over',
    changes: [
      {
        file: `${SDK}/inbox/own-entry.ts`,
        anchor: 'if (!attempt || reading.settled) return stopHere(reading, entry)',
        text: 'if (!attempt || reading.settled) return',
      },
    ],
  },
  {
    ids: ['M-26'],
    what: 'a last resort is not replaced when it was used',
    changes: [
      {
        file: `${SDK}/keys/key-packages.ts`,
        anchor: "await writer.run('update key_package set published = 0 where ref = ? and last_resort = 1', [ref])",
        text: 'await Promise.resolve()',
      },
    ],
  },
  {
    ids: ['M-21', 'M-36'],
    what: 'what is missing of the history is not said',
    changes: [{ file: `${SDK}/archive/archive.ts`, anchor: "    if (this.#missing > 0) return 'missing'\n", text: '' }],
  },
  {
    ids: ['M-27'],
    what: 'receipts go to whoever writes',
    changes: [{ file: `${SDK}/signals/receipts.store.ts`, anchor: " and admission = 'accepted' and (read_seq", text: ' and (read_seq' }],
  },
  {
    ids: ['M-27'],
    what: 'whoever writes sees who types',
    changes: [
      {
        file: `${SDK}/signals/typing.ts`,
        anchor: "if (state?.standing !== 'active' || !(await isAccepted(store, conversation))) return",
        text: "if (state?.standing !== 'active' || (store === undefined && (await isAccepted(store, conversation)))) return",
      },
    ],
  },
  {
    ids: ['M-27'],
    what: 'whoever writes sees who is online',
    changes: [
      {
        file: 'packages/server/src/messaging.ts',
        anchor: 'audienceOf: (account) => signals.audienceOf(account),',
        text: 'audienceOf: (account) => delivery.coMembers(account),',
      },
    ],
  },
  {
    ids: ['M-38'],
    what: 'every invitation is shown',
    changes: [
      {
        file: `${SDK}/requests/tray.ts`,
        anchor: 'if (shown.size === MOST || askers.has(asker)) continue',
        text: 'if (shown.size === MOST) continue',
      },
    ],
  },
  {
    ids: ['M-30'],
    what: 'presence is shown to those who share none',
    changes: [{ file: `${SDK}/messages/details.ts`, anchor: '...(ephemeral.sharesPresence && !me && {', text: '...(!me && {' }],
  },
  {
    ids: ['M-39'],
    what: 'an id may be used again',
    changes: [
      {
        file: `${SDK}/inbox/read-message.ts`,
        anchor: "if (place === 'repeat' || (await reading.isRepeat(message, { account: sender.account, text: read.payload.text }))) {",
        text: "if (place === 'repeat') {",
      },
    ],
  },
]
