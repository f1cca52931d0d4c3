/** When this page cannot go on by itself: why, and the one thing that helps. */
import { useTranslation } from 'react-i18next'
import { Button } from './design/button.tsx'
import { Logo } from './design/logo.tsx'
import type { Condition } from './messenger/condition.ts'
import { FailureLine } from './messenger/failure-line.tsx'
import { usePlatform } from './platform/platform-context.tsx'
import css from './trouble-screen.module.css'

/** `broken`: a part of the page failed, or its code could not be loaded. */
type Shown = Exclude<Condition, { kind: 'fine' }> | { readonly kind: 'broken' }

export function TroubleScreen({ condition }: { readonly condition: Shown }) {
  const { t } = useTranslation()
  const { reload } = usePlatform()
  return (
    <main className={css['screen']}>
      <Logo size={56} />
      <h1 className={css['title']}>{t(`trouble.${condition.kind}.title`)}</h1>
      <p className={css['text']}>{t(`trouble.${condition.kind}.text`)}</p>
      {condition.kind === 'trouble' && <FailureLine failure={condition.failure} />}
      <Button kind="main" onClick={reload}>
        {t('trouble.reload')}
      </Button>
    </main>
  )
}
