/** Ink's building blocks as functions, for sources that Node can run without a JSX step; text is made printable on its way. */
import { createElement } from 'react'
import type { ComponentProps, ReactElement, ReactNode } from 'react'
import { Box, Text } from 'ink'
import { printableLines } from '../terminal/printable.ts'

type BoxStyle = ComponentProps<typeof Box> & { readonly key?: string }
type TextStyle = Omit<ComponentProps<typeof Text>, 'children'> & { readonly key?: string }

export function box(style: BoxStyle, ...children: readonly ReactNode[]): ReactElement {
  return createElement(Box, style, ...children)
}

/** Text from anywhere. Line breaks stay; everything else that a terminal would obey becomes visible. */
export function words(text: string, style: TextStyle = {}): ReactElement {
  return createElement(Text, style, printableLines(text).join('\n'))
}

/** Several pieces of `words` that wrap as one text. */
export function phrase(style: TextStyle, ...children: readonly ReactElement[]): ReactElement {
  return createElement(Text, style, ...children)
}
