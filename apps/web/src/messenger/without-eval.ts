/**
 * Must be the worker's first import. zod compiles its checkers with `new Function`, which the content policy refuses and
 * reports; its shared settings, read when the first schema is made, turn that off.
 */
declare global {
  var __zod_globalConfig: { readonly jitless: boolean } | undefined
}

globalThis.__zod_globalConfig = { jitless: true }

export {}
