/** What sets this messenger apart, in three lines. Only where there is room for them. */
import { useTranslation } from 'react-i18next'
import { EyeOff, Server, UserRound } from 'lucide-react'
import css from './promises.module.css'

const promises = [
  { key: 'door.promise.sealed', Icon: EyeOff },
  { key: 'door.promise.anonymous', Icon: UserRound },
  { key: 'door.promise.hosted', Icon: Server },
] as const

export function Promises() {
  const { t } = useTranslation()
  return (
    <ul className={css['promises']}>
      {promises.map(({ key, Icon }) => (
        <li key={key} className={css['promise']}>
          <Icon size={20} aria-hidden="true" />
          <span>{t(key)}</span>
        </li>
      ))}
    </ul>
  )
}
