/** The person's own copy of their history: one file to keep, readable in any browser, and the way back from it. */
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Download, Upload } from 'lucide-react'
import { historyPage, type HistoryImport } from '@tacit/sdk'
import { useNoticeWords } from '../conversation/timeline/use-notice-text.ts'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { useMoments } from '../time/use-moments.ts'
import css from './history.module.css'
import { Section } from './section.tsx'

/** As long as a browser may take to begin with a download, in milliseconds. */
const KEPT = 60_000

export function HistoryCopy() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const makePage = useHistoryPage()
  const chooser = useRef<HTMLInputElement>(null)
  const [outcome, setOutcome] = useState<HistoryImport>()
  const save = useAction(async () => {
    const file = await messenger.exportHistory()
    download(makePage(file), `tacit-${file.handle}-${file.exported.slice(0, 10)}.html`)
  })
  const read = useAction(async (file: File) => {
    setOutcome(undefined)
    setOutcome(await messenger.importHistory({ file: await file.text() }))
  })
  return (
    <Section title={t('history.copy')} hint={t('history.copyHint')}>
      <div className={css['ways']}>
        <Button icon={<Download size={18} aria-hidden="true" />} busy={save.running} onClick={() => save.start()}>
          {t('history.export')}
        </Button>
        <Button icon={<Upload size={18} aria-hidden="true" />} busy={read.running} onClick={() => chooser.current?.click()}>
          {t('history.import')}
        </Button>
        <input
          ref={chooser}
          type="file"
          accept=".html,.json,text/html,application/json"
          hidden
          aria-label={t('history.import')}
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? []
            if (file) read.start(file)
            currentTarget.value = ''
          }}
        />
      </div>
      <FailureLine failure={save.failure ?? read.failure} />
      {outcome && (
        <output className={css['said']}>
          {outcome.kind === 'refused'
            ? t(`history.refused.${outcome.why}`)
            : t('history.imported', { count: outcome.added, known: outcome.known })}
        </output>
      )}
    </Section>
  )
}

/** Puts a history into a page, in the language of the app. */
function useHistoryPage(): (file: Parameters<typeof historyPage>[0]) => string {
  const { t, i18n } = useTranslation()
  const moments = useMoments()
  const notice = useNoticeWords()
  return (file) =>
    historyPage(file, {
      language: i18n.language,
      title: t('history.page.title', { handle: file.handle }),
      about: t('history.page.about', { date: moments.full(Date.parse(file.exported)) }),
      untitled: t('history.page.untitled'),
      time: (time) => moments.full(time),
      notice,
    })
}

function download(page: string, name: string): void {
  const address = URL.createObjectURL(new Blob([page], { type: 'text/html' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), KEPT)
}
