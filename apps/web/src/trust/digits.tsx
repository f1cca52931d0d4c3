/** Groups of digits, to be read aloud: the groups are what a screen reader says one after the other. */
import css from './trust.module.css'

export function Digits({ groups, label }: { readonly groups: readonly string[]; readonly label: string }) {
  return (
    <ol className={css['digits']} aria-label={label}>
      {groups.map((group, at) => (
        // The place is what a group is.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={at}>{group}</li>
      ))}
    </ol>
  )
}
