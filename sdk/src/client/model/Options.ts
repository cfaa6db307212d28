/** How a {@link KezChat} is to run. */
export interface Options {
  /**
   * The account that the store must hold, if it holds one: `ed25519:<hex>`. Another one fails with `StoreError`
   * `foreign`, before anything in store or blobs is touched. Without it, that shows when the key is first used.
   */
  readonly primary?: string
  /**
   * Use no network but where a call cannot do without it (`create`, `addContact`, ...): no broker connection, no
   * background checks. What is sent waits in the store. Default false.
   */
  readonly offline?: boolean
}
