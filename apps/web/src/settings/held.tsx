/** What the server holds on this person, table by table, straight from the server. */
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { HeldTable } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './held.module.css'
import { useLoaded } from './use-loaded.ts'

export function Held() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [loaded] = useLoaded(useCallback(() => messenger.held(), [messenger]))
  return (
    <Page title={t('held.title')}>
      <p className={css['explain']}>{t('held.explain')}</p>
      {loaded.kind === 'loading' && <p>{t('settings.loading')}</p>}
      {loaded.kind === 'failed' && <FailureLine failure={loaded.failure} />}
      {loaded.kind === 'ready' && loaded.value.map((table) => <Table key={table.table} held={table} />)}
    </Page>
  )
}

function Table({ held }: { readonly held: HeldTable }) {
  const { t } = useTranslation()
  const { table, rows, columns } = held
  return (
    <details className={css['table']}>
      <summary className={css['summary']}>
        <span className={css['name']}>{table}</span>
        <span className={css['count']}>{t('held.rows', { count: rows })}</span>
      </summary>
      <div className={css['inside']}>
        <h2 className={css['heading']}>{t('held.columns')}</h2>
        <dl className={css['columns']}>
          {columns.map(({ column, what, kept }) => (
            <div key={column}>
              <dt>{column}</dt>
              <dd lang="en">
                {what} <span className={css['quiet']}>({t('held.kept', { time: kept })})</span>
              </dd>
            </div>
          ))}
        </dl>
        {rows > 0 && <Rows held={held} />}
      </div>
    </details>
  )
}

function Rows({ held }: { readonly held: HeldTable }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { table, rows: all, columns } = held
  const [rows, setRows] = useState<readonly (readonly (string | null)[])[]>([])
  const load = useAction(async () => {
    const more = await messenger.heldRows({ table, after: rows.length })
    setRows((shown) => [...shown, ...more])
  })
  return (
    <>
      {rows.map((row, at) => (
        // Rows are only ever added at the end.
        // oxlint-disable-next-line react/no-array-index-key
        <dl key={at} className={css['row']}>
          {row.map((value, place) => (
            <div key={columns[place]?.column ?? place}>
              <dt>{columns[place]?.column}</dt>
              <dd>{value ?? <span className={css['quiet']}>{t('held.empty')}</span>}</dd>
            </div>
          ))}
        </dl>
      ))}
      <FailureLine failure={load.failure} />
      {rows.length < all && (
        <Button busy={load.running} onClick={() => load.start()}>
          {rows.length === 0 ? t('held.show') : t('held.more')}
        </Button>
      )}
    </>
  )
}
