import type { Plugin } from "vite"

const empty = "\0no-keys"

/**
 * Leaves out `@nats-io/nkeys` and the Ed25519 in it. nats.js needs it for logins that it signs; the SDK signs its own, so
 * that nothing calls it.
 */
export const noKeys = (): Plugin => ({
  name: "kez-no-keys",
  apply: "build",
  enforce: "pre",
  resolveId: (id) => (id === "@nats-io/nkeys" ? empty : undefined),
  load: (id) => (id === empty ? "export {}" : undefined)
})
