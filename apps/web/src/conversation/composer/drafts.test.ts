import { expect, test } from 'vitest'
import type { ConversationId } from '@tacit/sdk'
import { adoptDraft, draftOf, giveBack, setDraft } from './drafts.ts'

const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId

test('words that could not be sent come back before what was typed meanwhile', () => {
  setDraft({ conversation, text: 'and the next' })
  giveBack({ conversation, text: 'the first words' })
  expect(draftOf(conversation)).toBe('the first words\nand the next')
})

test('words that could not be sent come back to an empty box as they were', () => {
  setDraft({ conversation, text: '' })
  giveBack({ conversation, text: 'the only words' })
  expect(draftOf(conversation)).toBe('the only words')
})

test('what was typed on another device comes into the box, but never over what was typed here since', () => {
  setDraft({ conversation, text: '' })
  adoptDraft({ conversation, text: 'from the phone' })
  expect(draftOf(conversation)).toBe('from the phone')
  setDraft({ conversation, text: 'from the phone, and on' })
  adoptDraft({ conversation, text: 'from the phone again' })
  expect(draftOf(conversation)).toBe('from the phone, and on')
})
