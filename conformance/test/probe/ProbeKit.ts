/** Statements signed and chained by any rule, and what a probe says of them. */
import { Zstd } from "@kez-chat/sdk/node"
import { Canonical, Json } from "@kez-chat/sdk/protocol"
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto"
import { expect, vi } from "vitest"
import { main } from "../../src/main.ts"
import type { FactId } from "../../src/probe/Facts.ts"
import { probe } from "../../src/probe/Probe.ts"
import { readEnvelopes } from "../../src/probe/Reading.ts"

export const read = (text: string | Uint8Array) =>
  readEnvelopes({ kind: "text", name: "it", bytes: typeof text === "string" ? Buffer.from(text) : text })
export const findings = (text: string | Uint8Array) => probe(read(text))

/** The facts that are otherwise than assumed, each with what was seen instead. */
export const otherwise = async (text: string): Promise<Readonly<Partial<Record<FactId, string>>>> =>
  Object.fromEntries(
    (await findings(text))
      .filter(({ verdict }) => verdict === "otherwise")
      .map(({ fact, seen }) => [
        fact,
        seen
          .filter(({ holds }) => !holds)
          .map(({ what }) => what)
          .join("; ")
      ])
  )
/** As `otherwise`, without this project's own refusal, which follows from the rest. */
export const different = async (text: string) => {
  const { accepted, ...rest } = await otherwise(text)
  expect(accepted).toBeDefined()
  return rest
}

const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 0x42)])
const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" })
const x = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" })["x"] as string, "base64url")
export const primary = `ed25519:${x.toString("hex")}`
export const ed25519 = (message: Uint8Array) => sign(null, message, privateKey)
export const jcs = (value: unknown) => Buffer.from(Canonical.encodeText(value as Json.Json))
export const hash = (name: string, bytes: Uint8Array | string) => createHash(name).update(bytes).digest()

type Members = Readonly<Record<string, unknown>>

export const claimed: Members = {
  type: "kez.claim",
  version: 1,
  subject: "github:octocat",
  primary,
  created_at: "2026-05-25T00:00:00Z"
}
export const signedBy = (payload: Members, signature: Uint8Array, kez = "claim") => ({
  kez,
  payload,
  signature: { alg: "ed25519-sha512-jcs", key: primary, sig: Buffer.from(signature).toString("hex") }
})
export const signed = (payload: Members, kez = "claim") => signedBy(payload, ed25519(hash("sha512", jcs(payload))), kez)
export const claim = signed(claimed)

export type Envelope = ReturnType<typeof signed>
export const event = (seq: number, prev: string | undefined, more: Members = {}): Envelope =>
  signed(
    {
      type: "kez.sigchain.event",
      version: 1,
      primary,
      seq,
      ...(prev === undefined ? {} : { prev }),
      created_at: "2026-05-25T00:00:00Z",
      op: "add",
      payload: { subject: `dns:host${seq}.example` },
      ...more
    },
    "sigchain_event"
  )
export const chainOf = (link: (before: Envelope) => string, first = 0): ReadonlyArray<Envelope> => {
  const events = [event(first, undefined)]
  for (let seq = first + 1; seq < first + 3; seq++) events.push(event(seq, link(events.at(-1)!)))
  return events
}
export const linked = (before: unknown) => `sha256:${hash("sha256", jcs(before)).toString("hex")}`
export const lines = (values: ReadonlyArray<unknown>) => values.map((value) => `${JSON.stringify(value)}\n`).join("")
export const compact = (text: string, prefix = "kez:z1:") =>
  prefix + Buffer.from(Zstd.compress(Buffer.from(text))).toString("base64url")

/** Runs the command; its exit code and what it wrote. */
export const run = async (...args: ReadonlyArray<string>) => {
  let output = ""
  const take = (text: unknown) => {
    output += String(text)
    return true
  }
  const spies = [vi.spyOn(process.stdout, "write"), vi.spyOn(process.stderr, "write")]
  for (const spy of spies) spy.mockImplementation(take)
  try {
    return { code: await main(["probe", ...args]), output }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
