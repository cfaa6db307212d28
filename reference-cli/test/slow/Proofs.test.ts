/** Identities elsewhere at the command line: made, checked and taken back, against servers that speak as the providers do. */
import { Effect, Exit, Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ProofServers, proofServers } from "../../../sdk/test/kits/proofs/ProofServers.ts"
import { as, type Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

let machine: Machine
let servers: ProofServers
let env: Record<string, string>
const scope = Scope.makeUnsafe()

useScene((scene) => {
  ;({ machine } = scene)
})
beforeAll(async () => {
  servers = await Effect.runPromise(Scope.provide(proofServers, scope))
  const file = path.join(machine.folder, "services.json")
  const { connectTo, ca, relays, resolvers } = servers.options()
  fs.writeFileSync(file, JSON.stringify({ connectTo, ca, relays, resolvers }))
  env = { KEZ_PROOFS: file }
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const domain = "alice.kez.test"
const publish = (text: string) => servers.dns.txt.set(`_kez.${domain}`, [text.match(/.{1,255}/g) ?? []])

describe("proofs", () => {
  it("are made step by step, checked by others, and taken back", async () => {
    await Promise.all(["ann", "ben"].map((name) => machine.register(name)))
    const begun = await machine.run(as("ann", "prove", `dns:${domain}`), { env })
    expect(begun).toMatchObject({ code: 0 })
    expect(begun.stdout).toMatch(/1\. .*\n.*2\. .*_kez/)
    expect(begun.stderr).toContain(`prove dns:${domain} --wait`)
    const { proving } = await machine.json(Shapes.Prove, as("ann", "prove", `dns:${domain}`), { env })
    expect(proving.step).toBe("publish")
    expect(begun.stdout).toContain(proving.publication.text)
    publish(proving.publication.text)
    expect((await machine.json(Shapes.Prove, as("ann", "prove", `dns:${domain}`), { env })).proving.step).toBe(
      "recorded"
    )

    // Of anybody, also without adding them.
    const seen = await machine.json(Shapes.Proofs, as("ben", "proofs", "ann"), { env })
    expect(seen.claims).toMatchObject([{ subject: `dns:${domain}`, state: "valid", evidence: { recipe: "dns/1" } }])
    await machine.json(Shapes.ContactResult, as("ben", "add", "ann"), { env })
    const shown = await machine.run(as("ben", "verify", "ann"), { env })
    expect(shown.stdout).toMatch(new RegExp(`dns:${domain} +proven +checked today`))

    servers.dns.fails = "SERVFAIL"
    const away = await machine.json(Shapes.Proofs, as("ben", "proofs", "ann"), { env })
    expect(away.claims).toMatchObject([{ state: "unreachable" }])
    expect(away.claims[0]?.last_good_at).toBeDefined()
    servers.dns.fails = undefined

    await machine.run(as("ann", "revoke", `dns:${domain}`), { env })
    const after = await machine.json(Shapes.Proofs, as("ben", "proofs", "ann"), { env })
    expect(after.claims).toMatchObject([{ revoked: true }])
    expect((await machine.run(as("ann", "revoke", `dns:${domain}`), { env })).code).toBe(4)
    expect((await machine.run(as("ann", "prove", "keybase:ann"), { env })).code).toBe(5)
  })

  it("decide who is let in, and who is held back is listed and can be accepted", async () => {
    await machine.register("dan")
    await machine.json(Shapes.Settings, as("ann", "settings", "--inbox", "proven", "--introductions", "on"))
    await machine.json(Shapes.ContactResult, as("dan", "add", "ann"))
    await machine.json(Shapes.Sent, as("dan", "send", "ann", "this is dan"))
    const { held } = await machine.json(Shapes.Held, as("ann", "requests", "--held"), { env })
    expect(held).toMatchObject([{ messages: 1, dropped: 0 }])
    const accepted = await machine.json(Shapes.ContactResult, as("ann", "accept", held[0]!.primary), { env })
    expect(accepted.contact).toMatchObject({ handle: "dan@localhost", state: "accepted" })
  })
})
