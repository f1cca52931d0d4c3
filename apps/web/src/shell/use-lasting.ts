/** A value that counts only after it has lasted: what is over in a moment need not be shown. */
import { useEffect, useState } from 'react'

interface LastingOptions<T> {
  readonly value: T
  /** Milliseconds that the value has to stay the same. */
  readonly after: number
  /** What counts before anything has lasted. */
  readonly first: T
}

export function useLasting<T>({ value, after, first }: LastingOptions<T>): T {
  const [lasting, setLasting] = useState(first)
  useEffect(() => {
    const timer = setTimeout(() => setLasting(value), after)
    return () => clearTimeout(timer)
  }, [value, after])
  return lasting
}
