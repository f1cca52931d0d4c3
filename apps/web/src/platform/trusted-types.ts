/**
 * The app's only Trusted Types policy. The content policy of the server (`require-trusted-types-for 'script';
 * trusted-types app`) makes the browser refuse every script address that did not come through here, and this lets through
 * exactly those that the build names.
 */
interface ScriptUrlPolicy {
  createScriptURL(url: string): string
}

interface TrustedTypes {
  createPolicy(name: string, rules: ScriptUrlPolicy): ScriptUrlPolicy
}

/** @param allowed paths on our own origin. The result takes one of them and throws on everything else. */
export function scriptUrls(allowed: readonly string[]): (url: string) => string {
  const check = (url: string): string => {
    const { origin, pathname } = new URL(url, location.origin)
    if (origin !== location.origin || !allowed.includes(pathname)) throw new TypeError('This script address is not ours')
    return url
  }
  // Not every browser has Trusted Types; the check is made all the same.
  const factory = (globalThis as { readonly trustedTypes?: TrustedTypes }).trustedTypes
  const policy = factory?.createPolicy('app', { createScriptURL: check })
  return (url) => policy?.createScriptURL(url) ?? check(url)
}
