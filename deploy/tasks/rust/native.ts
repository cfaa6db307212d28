/**
 * `npm run build:native`: the addon `@kez-chat/iroh-native`, with which the SDK moves files faster, for this checkout.
 *
 *   npm run build:native                    the addon
 *   npm run build:native -- --with-peer     first the Iroh peer of the slow tests, whose crates are nearly all the same
 */
import { copyFileSync, renameSync } from "node:fs"
import { join } from "node:path"
import { Refusal, root } from "../paths.mjs"
import { endWithParent } from "../processes.mjs"
import { buildPeer, irohAddon, irohPeer, whyNoPeer } from "../RustPeers.ts"
import { doing, done, fail } from "../say.mjs"

endWithParent()
try {
  const others = process.argv.slice(2).filter((word) => word !== "--with-peer")
  if (others.length > 0) throw new Refusal(`build:native takes --with-peer and nothing else: not ${others.join(" ")}.`)
  const why = await whyNoPeer(irohAddon)
  if (why !== undefined)
    throw new Refusal(
      `The addon is built with Rust, and ${why}. Files move without it, too, over @number0/iroh; for Rust see https://rustup.rs.`
    )
  const started = doing("building the addon; about ten minutes the first time")
  if (process.argv.includes("--with-peer")) await buildPeer(irohPeer)
  const place = join(root, "sdk", "native", "iroh-native.node")
  // A process that has the old one loaded keeps it: writing into it would crash that process.
  copyFileSync(await buildPeer(irohAddon), `${place}.new`)
  renameSync(`${place}.new`, place)
  done(started, "built sdk/native/iroh-native.node")
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  fail(error.message)
  process.exitCode = 1
}
