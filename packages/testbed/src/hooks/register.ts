/** Loaded with `--import`: modules come with the replacements that the environment names (replacements.ts). */
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { REPLACEMENTS_VARIABLE, replacedSources, type Replacement } from './replacements.ts'

const replacements: readonly Replacement[] = JSON.parse(process.env[REPLACEMENTS_VARIABLE] ?? '[]')
const sources = replacedSources(replacements)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const source = url.startsWith('file:') ? sources.get(fileURLToPath(url.replace(/[?#].*/, ''))) : undefined
    return source === undefined ? loaded : { ...loaded, source }
  },
})
