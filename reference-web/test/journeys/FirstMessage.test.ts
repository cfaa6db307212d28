/** From the landing page to the first messages, in both directions, between two browsers. */
import { describe, expect, it } from "vitest"
import { button, hasChromium, signUp, useStage, write } from "../kit/Journey.ts"

describe.skipIf(!hasChromium)(
  "two people in two browsers",
  () => {
    const stage = useStage()

    it("sign up, find each other, and write in both directions", async () => {
      const alice = await stage.visit()
      const bob = await stage.visit({ viewport: { width: 390, height: 844 } })
      await signUp(bob, "bob")
      await button(bob, "Go to my messages").click()
      const words = await signUp(alice, "alice")
      expect(new Set(words).size).toBeGreaterThan(15)

      await button(alice, "Add a contact").click()
      await alice.getByLabel("Handle").fill("bob")
      await button(alice, "Look up").click()
      await button(alice, "Add bob").click()
      await write(alice, "Hello, bob")
      await alice.getByText("Sent", { exact: true }).first().waitFor()

      await bob.getByText("1 person wants to write to you").click()
      await bob.getByRole("link", { name: /alice/ }).first().click()
      await bob.getByText("Hello, bob").first().waitFor()
      await button(bob, "Accept").click()
      // Receipts begin with the acceptance, also for what was written before.
      await alice.getByText("Delivered", { exact: true }).first().waitFor()
      await write(bob, "Hello, alice")
      await alice.getByText("Hello, alice").first().waitFor()
    })
  },
  240_000
)
