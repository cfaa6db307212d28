/** The checks of the vectors: each notices a shim that is wrong. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, describe, expect, it } from "vitest"
import { answer } from "../src/reference/Answer.ts"
import type { Input } from "../src/reference/CaseInput.ts"
import { homeChecks, sigChecks } from "../src/servers/AllChecks.ts"
import type { Response } from "../src/shim/Protocol.ts"
import { type VectorCheck, vectorChecks } from "../src/suite/Checks.ts"
import { judge } from "../src/vectors/Run.ts"
import { killers, shimMutants } from "./mutants/AllMutants.ts"
import type { Outcome, ShimMutant } from "./mutants/ShimMutant.ts"

const runtime = ManagedRuntime.make(NodeCrypto.layer)
afterAll(() => runtime.dispose())

const checks = vectorChecks()
/** An answer as it arrives. */
const sent = (outcome: object) => JSON.parse(JSON.stringify({ seq: 0, ...outcome })) as Response
const ask = async (operation: string, input: Input): Promise<Response> =>
  sent(await runtime.runPromise(answer(operation, input)))

const notices = async (check: VectorCheck, mutant: ShimMutant): Promise<boolean> => {
  const input = check.case.input as Input
  const right: Outcome = await ask(check.operation, input)
  const given = await mutant.answer(right, input, (other) => ask(check.operation, other))
  return given !== undefined && judge(check, sent(given)).verdict === "fail"
}

/** Whether one of a requirement's checks notices a mutant. */
const kills = async (requirement: string, mutant: ShimMutant): Promise<boolean> => {
  for (const check of checks) {
    const concerns = mutant.operations.includes(check.operation) && check.requirements.includes(requirement)
    if (concerns && (await notices(check, mutant))) return true
  }
  return false
}

describe("a shim that", () => {
  it.each(shimMutants.map((mutant) => [mutant.name, mutant] as const))("%s", async (_, mutant) => {
    const survived = []
    for (const requirement of mutant.kills) if (!(await kills(requirement, mutant))) survived.push(requirement)
    expect(survived).toEqual([])
  })

  it("has nothing behind its operations fails every check", () => {
    expect(checks.filter((check) => judge(check, sent({ ok: {} })).verdict !== "fail")).toEqual([])
  })
})

describe("the mutants", () => {
  it("have names of their own", () => {
    const names = shimMutants.map(({ name }) => name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it("are noticed by some check of every requirement that has one", () => {
    const killed = new Set(killers.flatMap((mutant) => mutant.kills))
    const checked = new Set([...checks, ...homeChecks, ...sigChecks].flatMap(({ requirements }) => requirements))
    expect([...checked].filter((id) => !killed.has(id))).toEqual([])
  })
})
