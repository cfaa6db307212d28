/** Options of {@link KezChat.layer}. */
export interface Options {
  /**
   * Primary key, `ed25519:<hex>`, of the account that the store must hold if it holds one. Another account fails with
   * `StoreError` `foreign` before anything in the store is touched; without this option, when the key is first used.
   */
  readonly primary?: string
  /**
   * Use the network only in calls that cannot do without it (`create`, `addContact`, ...): no broker connection and no
   * background checks. Sent messages stay queued. Default false.
   */
  readonly offline?: boolean
}
