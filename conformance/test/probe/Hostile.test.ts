/** Hostile and random input of a probe, and its command. */
import * as fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import {
  endpointEvent,
  newIdentity,
  post,
  startSig,
  temporaryFolder
} from "../../../reference-server/test/kits/Servers.ts"
import { facts } from "../../src/probe/Facts.ts"
import { limitBytes, NotKez } from "../../src/probe/Source.ts"
import {
  read,
  findings,
  ed25519,
  jcs,
  claimed,
  signedBy,
  claim,
  chainOf,
  linked,
  lines,
  compact,
  run
} from "./ProbeKit.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-probe-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("hostile input", () => {
  it.each([
    ["", "empty"],
    ["hello", "holds no KEZ envelope"],
    ["{", "begins like JSON"],
    ["{}", "no envelope: its members are none"],
    ['{"a":1}\n{"b":2}', "line 1 is JSON, but no envelope"],
    ["kez:z1:%%%", "not base64"],
    ["kez:z1:AAAA", "compressed part"],
    ["```kez\nhello", "not closed"],
    ["[".repeat(100_000), "levels"],
    [`{"payload":${"[".repeat(100_000)}`, "levels"],
    ['"a" "b"', "TXT strings hold no"],
    [compact(`{"kez":"${"a".repeat(limitBytes)}"}`), "too large"],
    [lines(Array.from({ length: 10_001 }, () => 1)).replace(/^/, "{}\n"), "more than 10000 envelopes"]
  ])("%#: one sentence", (text, sentence) => {
    expect(() => read(text)).toThrow(NotKez)
    expect(() => read(text)).toThrow(sentence)
  })

  it("is refused beyond a size, unread", async () => {
    const path = join(folder, "large")
    writeFileSync(path, Buffer.alloc(limitBytes + 1, 0x7b))
    expect(await run(path)).toEqual({ code: 3, output: expect.stringContaining(`more than ${limitBytes} bytes`) })
  })

  it("takes no longer for being long", () => {
    for (const text of ["```kez\n", "\n", "kez:z", '"', "Primary ", "[{", "\\", " "].map((part) =>
      part.repeat(Math.floor(1_000_000 / part.length))
    ))
      expect(() => read(text)).toThrow(NotKez)
  })

  it("never fails otherwise than with NotKez, and ends with findings for whatever it reads", async () => {
    const seeds = [JSON.stringify(claim), lines(chainOf(linked)), compact(JSON.stringify(claim))]
    const changed = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]":,0aZ-é\0\n\\')), { minLength: 1, maxLength: 4 })
      )
      .map(([seed, edits]) =>
        edits.reduce((text, [at, character]) => {
          const place = at % text.length
          return text.slice(0, place) + character + text.slice(place + (at % 2))
        }, seed)
      )
    const values = fc.record({
      kez: fc.jsonValue(),
      payload: fc.dictionary(fc.string(), fc.jsonValue()),
      signature: fc.object()
    })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          changed,
          values.map((value) => JSON.stringify(value)),
          fc.string()
        ),
        async (text) => {
          try {
            expect(await findings(text)).toHaveLength(Object.keys(facts).length)
          } catch (error) {
            expect(error).toBeInstanceOf(NotKez)
          }
        }
      ),
      { numRuns: 100 }
    )
  })
})

describe("the command", () => {
  it("ends with 0, 1, 3 or 4, and says which line changes", async () => {
    const path = join(folder, "claim.json")
    writeFileSync(path, JSON.stringify(claim))
    const good = await run(path)
    expect(good.code).toBe(0)
    expect(good.output).toContain("AS ASSUMED")
    writeFileSync(path, JSON.stringify(signedBy(claimed, ed25519(jcs(claimed)))))
    const other = await run(path)
    expect(other.code).toBe(1)
    expect(other.output).toContain(facts["ed25519-message"].sdk[1])
    const { facts: found, holds } = JSON.parse((await run(path, "--json")).output)
    expect(holds).toBe(false)
    expect(found.find(({ fact }: { fact: string }) => fact === "ed25519-message")).toMatchObject({
      mark: "INFERRED",
      verdict: "otherwise",
      sdk: facts["ed25519-message"].sdk
    })
    expect((await run(compact(JSON.stringify(claim)))).code).toBe(0)
    expect((await run(join(folder, "nothing"))).code).toBe(3)
    expect((await run()).code).toBe(3)
    expect((await run("http://127.0.0.1:1/")).code).toBe(4)
  })

  it("reads a sig-server by URL", async () => {
    using data = temporaryFolder()
    const server = await startSig(data.path)
    try {
      const identity = await newIdentity()
      const url = `${server.url}/v1/sigchains/ed25519/${identity.key.hex}`
      const empty = await run(url)
      expect([3, 4]).toContain(empty.code)
      const first = await endpointEvent(identity, undefined)
      const { json } = await post(`${url}/events`, first)
      await post(`${url}/events`, await endpointEvent(identity, json as { seq: number; hash: string }))
      const { code, output } = await run(url, "--json")
      const { envelopes, facts: found } = JSON.parse(output)
      expect(found.filter(({ verdict }: { verdict: string }) => verdict === "otherwise")).toEqual([])
      expect(envelopes).toBe(2)
      expect(code).toBe(0)
      for (const name of ["media-type", "cross-origin", "prev-input", "list"])
        expect(found.find(({ fact }: { fact: string }) => fact === name)).toMatchObject({ verdict: "holds" })
    } finally {
      await server.stop()
    }
  })
})
