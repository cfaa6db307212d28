/** What the reference implementation answers to an operation. */
import type { Crypto } from "@kez-chat/sdk/services"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Response } from "../shim/Protocol.ts"
import type { Input } from "./CaseInput.ts"
import { operations } from "./Operations.ts"

const codeOf = (failure: unknown): string | undefined => {
  const { code } = (failure ?? {}) as { readonly code?: unknown }
  return typeof code === "string" ? code : undefined
}

const responseOf = (exit: Exit.Exit<unknown, unknown>): Omit<Response, "seq"> => {
  if (Exit.isSuccess(exit)) return { ok: exit.value ?? null }
  const failure = Exit.findError(exit)
  const code = "success" in failure ? codeOf(failure.success) : undefined
  return code === undefined ? { internal: { message: Cause.pretty(exit.cause) } } : { error: { code } }
}

export const answer = (operation: string, input: Input): Effect.Effect<Omit<Response, "seq">, never, Crypto> => {
  const run = operations[operation]
  return run === undefined ? Effect.succeed({ unsupported: true }) : Effect.map(Effect.exit(run(input)), responseOf)
}
