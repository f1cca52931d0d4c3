/** What the keyboard can do. Only where there is likely to be one. */
import { useTranslation } from 'react-i18next'
import { Section } from './section.tsx'
import css from './shortcuts-section.module.css'

const shortcuts = [
  { key: 'settings.keys.find', keys: ['Ctrl', 'K'] },
  { key: 'settings.keys.next', keys: ['Alt', '↑ ↓'] },
  { key: 'settings.keys.nextUnread', keys: ['Alt', 'Shift', '↑ ↓'] },
  { key: 'settings.keys.details', keys: ['Ctrl', '.'] },
  { key: 'settings.keys.lock', keys: ['Ctrl', 'Shift', 'L'] },
  { key: 'settings.keys.line', keys: ['Shift', 'Enter'] },
  { key: 'settings.keys.end', keys: ['Esc'] },
] as const

export function ShortcutsSection() {
  const { t } = useTranslation()
  return (
    <div className={css['place']}>
      <Section title={t('settings.keyboard')}>
        <dl className={css['list']}>
          {shortcuts.map(({ key, keys }) => (
            <div key={key} className={css['line']}>
              <dt>{t(key)}</dt>
              <dd className={css['keys']}>
                {keys.map((name) => (
                  <kbd key={name} className={css['key']}>
                    {name}
                  </kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      </Section>
    </div>
  )
}
