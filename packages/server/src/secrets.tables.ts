/** The secrets that several servers share. */
export interface SecretTables {
  server_secret: {
    name: string
    /** AES-256-GCM under the key that the settings give: nonce, ciphertext, tag. */
    sealed: Uint8Array
  }
}
