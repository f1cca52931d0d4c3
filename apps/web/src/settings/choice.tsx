/** A few values of which one is chosen, all of them seen. */
import css from './choice.module.css'

interface ChoiceProps<T extends string> {
  readonly name: string
  readonly legend: string
  readonly values: readonly T[]
  readonly chosen: T
  readonly onChoose: (value: T) => void
  readonly words: (value: T) => string
}

export function Choice<T extends string>({ name, legend, values, chosen, onChoose, words }: ChoiceProps<T>) {
  return (
    <fieldset className={css['choice']}>
      <legend className={css['legend']}>{legend}</legend>
      <div className={css['options']}>
        {values.map((value) => (
          <label key={value} className={css['option']}>
            <input
              type="radio"
              name={name}
              value={value}
              checked={value === chosen}
              onChange={() => onChoose(value)}
              className={css['radio']}
            />
            {words(value)}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
