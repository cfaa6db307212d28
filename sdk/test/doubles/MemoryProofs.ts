/** Services where people publish proofs, inside the test process: what lies where, and which cannot be asked. */
import { Clock, Effect, Layer } from "effect"
import { Zstd } from "@kez-chat/sdk/node"
import { Identifier } from "@kez-chat/sdk/protocol"
import { ProofFetcher, ProofUnreachable } from "@kez-chat/sdk/services"
import { createHash } from "node:crypto"

export interface MemoryProofs {
  readonly layer: Layer.Layer<ProofFetcher>
  /** subject, normalised -> the texts that are found there, the first one to be tried first. */
  readonly published: Map<string, ReadonlyArray<string>>
  /** Subjects or systems that cannot be asked, and why. */
  readonly down: Map<string, Pick<ProofUnreachable, "reason" | "retryAt">>
  /** Every request that was answered or not: what was asked, and when. */
  readonly asked: Array<{ readonly subject: string; readonly at: number }>
}

const reasons: Record<ProofUnreachable["reason"], string> = {
  network: "no answer",
  rate_limited: "too many requests from here",
  forbidden: "that address is not asked",
  needs_cli: "this needs the CLI",
  unsupported: "no channel knows it"
}

export const makeMemoryProofs = (systems: ReadonlyArray<string> = ["dns", "github", "web"]): MemoryProofs => {
  const published: MemoryProofs["published"] = new Map()
  const down: MemoryProofs["down"] = new Map()
  const asked: MemoryProofs["asked"] = []

  const fetch = (subject: Identifier.Identifier) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      asked.push({ subject: subject.text, at })
      const outage =
        down.get(subject.text) ??
        down.get(subject.system) ??
        (systems.includes(subject.system) ? undefined : { reason: "unsupported" as const })
      if (outage !== undefined) {
        return yield* new ProofUnreachable({ ...outage, subject: subject.text, detail: reasons[outage.reason] })
      }
      const url = `memory:${subject.text}`
      const found = (published.get(subject.text) ?? []).map((text) => ({
        url,
        fetchedAt: at,
        digest: `sha256:${createHash("sha256").update(text).digest("hex")}`,
        text
      }))
      return { found, asked: [url], recipe: "memory/1" }
    })

  return {
    layer: Layer.succeed(ProofFetcher, {
      systems,
      decompress: Effect.succeed(Zstd.decompress),
      fetch,
      publication: (subject, { compact }) =>
        Effect.succeed(
          systems.includes(subject.system)
            ? { steps: [`put the text at memory:${subject.text}`], text: compact, where: `memory:${subject.text}` }
            : undefined
        )
    }),
    published,
    down,
    asked
  }
}
