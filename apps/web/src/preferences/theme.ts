/** Light, dark, or whatever the system says. The stylesheet does the rest by `color-scheme`. */
import { preference } from './preference.ts'

export type Theme = 'system' | 'light' | 'dark'

export const themes = ['system', 'light', 'dark'] as const satisfies readonly Theme[]
export const theme = preference<Theme>({ name: 'tacit.theme', values: themes })

const barColors = { light: '#ffffff', dark: '#12191c' } as const

/** Puts the chosen theme on the page, now and whenever it changes. */
export function followTheme(): void {
  const apply = () => {
    const chosen = theme.get()
    if (chosen === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = chosen
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
      const own = meta.media.includes('dark') ? 'dark' : 'light'
      meta.content = barColors[chosen === 'system' ? own : chosen]
    }
  }
  apply()
  theme.subscribe(apply)
}
