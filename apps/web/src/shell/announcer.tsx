/** Tells a screen reader about new messages: one at a time with its text, many at once as a number. */
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ConversationSummary } from '@tacit/sdk'
import { newsBetween, type News } from './news.ts'

/** What arrives within this time is told together. */
const GATHER_MS = 900

export function Announcer({ conversations }: { readonly conversations: readonly ConversationSummary[] | undefined }) {
  const { t } = useTranslation()
  const [told, setTold] = useState<readonly News[]>([])
  const before = useRef(conversations)
  const gathered = useRef<News[]>([])
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)

  useEffect(() => {
    if (conversations === undefined) return
    const news = before.current === undefined ? [] : newsBetween(before.current, conversations)
    before.current = conversations
    if (news.length === 0) return
    gathered.current.push(...news)
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      setTold(gathered.current.splice(0))
    }, GATHER_MS)
  }, [conversations])
  useEffect(() => () => clearTimeout(timer.current), [])

  const [only] = told
  return (
    <output className="sr-only">
      {told.length === 1 && only !== undefined && t('announce.one', { title: only.title, text: only.text })}
      {told.length > 1 && t('announce.many', { count: told.length })}
    </output>
  )
}
