/** A domain that is linked to a key in one browser and checked in another, at a name server of this machine. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, describe, expect, it } from "vitest"
import { dnsServer } from "../../../../sdk/test/kits/proofs/DnsServer.ts"
import { button, dialog, goTo, hasChromium, settleIn, startWith, useStage } from "../../kit/Journey.ts"

const scope = Effect.runSync(Scope.make())
const dns = await Effect.runPromise(Scope.provide(dnsServer, scope))
let isDown = false
/** DNS over HTTPS, over plain HTTP as is allowed on this machine. */
const resolver = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://127.0.0.1")
  const answer = dns.answer(Buffer.from(url.searchParams.get("dns") ?? "", "base64url"), "https")
  const headers = { "access-control-allow-origin": "*", "content-type": "application/dns-message" }
  response.writeHead(isDown ? 503 : 200, headers).end(isDown ? "" : answer)
})
await new Promise<void>((resolve) => resolver.listen(0, "127.0.0.1", resolve))
const source = `http://127.0.0.1:${(resolver.address() as AddressInfo).port}/dns-query`

describe.skipIf(!hasChromium)(
  "a domain that is linked to a key",
  () => {
    const stage = useStage({ flags: { chat: ["--proof-dns", source] } }, [source])
    afterAll(async () => {
      resolver.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    })

    it("is proven in one browser, checked in another, and taken back", async () => {
      const [anna, bert] = await Promise.all([stage.visit(), stage.visit()])
      await Promise.all([settleIn(anna, "anna"), settleIn(bert, "bert")])

      // What only the CLI can look for is said so, with the command.
      await goTo(anna, "#/settings/proofs")
      await anna.getByText("Nothing is linked yet.").waitFor()
      await anna.getByLabel("What is it?").selectOption("github")
      await anna.getByLabel("User name").fill("anna")
      await button(anna, "Next").click()
      await anna.getByText("kez-chat prove github:anna").waitFor()

      await anna.getByLabel("What is it?").selectOption("dns")
      await anna.getByRole("textbox", { name: "Domain" }).fill("anna.example")
      await button(anna, "Next").click()
      await anna.getByText("Linking anna.example").waitFor()
      const proof = await anna.locator("kez-settings-proofs kez-copy code").first().textContent()
      expect(proof).toMatch(/^kez:z1:/)
      await anna.getByText(/there is no proof/).waitFor()
      // Left and opened again, it goes on with the same proof.
      await goTo(anna, "#/")
      await goTo(anna, "#/settings/proofs")
      expect(await anna.locator("kez-settings-proofs kez-copy code").first().textContent()).toBe(proof)
      dns.txt.set("_kez.anna.example", [(proof ?? "").match(/.{1,255}/gs) ?? []])
      await button(anna, "Look for it now").click()
      await anna.getByText("anna.example is linked to your key.").waitFor()
      await anna.locator("kez-claims").getByText("Checked today").waitFor()

      await startWith(bert, "anna")
      await goTo(bert, "#/p/anna")
      const claims = bert.locator("main kez-claims")
      await claims.getByText("Checked today").waitFor()
      await claims.getByText("Evidence").click()
      await claims.getByText("dns:_kez.anna.example").waitFor()

      // A service that is down turns nothing red, and one slip neither.
      isDown = true
      await claims.getByRole("button", { name: "Check now" }).click()
      await claims.getByText("Could not be reached, last good today").waitFor()
      isDown = false
      dns.txt.clear()
      await claims.getByRole("button", { name: "Check now" }).click()
      await claims.getByText(/it is checked again before that counts/).waitFor()
      expect(await claims.getByText("Does not hold up").count()).toBe(0)

      await anna.locator("kez-claims").getByText("Evidence").click()
      await button(anna, "Take back").click()
      await dialog(anna).getByRole("button", { name: "Take back" }).click()
      await anna.locator("kez-claims").getByText("Taken back").waitFor()
      await goTo(bert, "#/c/anna")
      await goTo(bert, "#/p/anna")
      await claims.getByText("Taken back").waitFor()
    })
  },
  240_000
)
