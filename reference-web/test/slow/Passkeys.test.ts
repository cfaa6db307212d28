/** Opening the account with a passkey instead of the passphrase. */
import type { CDPSession, Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { pageUrl } from "../../../deploy/local/Home.ts"
import { button, goTo, hasChromium, heading, signUp, unlock, useStage } from "../kit/Journey.ts"

/** The authenticator of a device, whose owner is there and recognised until they turn away. */
const useAuthenticator = async (page: Page) => {
  const debug: CDPSession = await page.context().newCDPSession(page)
  await debug.send("WebAuthn.enable")
  const { authenticatorId } = await debug.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  return {
    turnAway: () => debug.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false }),
    remove: () => debug.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId })
  }
}

const lock = async (page: Page): Promise<void> => {
  await goTo(page, "#/settings")
  await button(page, "Lock now").click()
  await heading(page, "Welcome back, petra.")
}

describe.skipIf(!hasChromium)(
  "a passkey",
  () => {
    const stage = useStage()

    it("opens the account on its own device until it is removed, and may be refused", async () => {
      // A passkey belongs to a name, which an address is not.
      const page = await stage.visit({}, pageUrl(stage.home.urls))
      const authenticator = await useAuthenticator(page)
      await signUp(page, "petra")
      await button(page, "Add a passkey").click()
      await page.getByText("The passkey is added.").waitFor()
      await button(page, "Go to my messages").click()

      await lock(page)
      await button(page, "Unlock with a passkey").click()
      await heading(page, "Settings")
      // Whoever turns away from the device's question has lost nothing.
      await lock(page)
      await authenticator.turnAway()
      await button(page, "Unlock with a passkey").click()
      await page.getByText("The passkey did not open it. Use the passphrase.").waitFor()
      await unlock(page)
      await heading(page, "Settings")

      // Another device has no such passkey.
      await lock(page)
      await authenticator.remove()
      const other = await useAuthenticator(page)
      await button(page, "Unlock with a passkey").click()
      await page.getByText("The passkey did not open it. Use the passphrase.").waitFor()
      await unlock(page)
      await heading(page, "Settings")
      await goTo(page, "#/settings/words")
      await button(page, "Add a passkey").click()
      await page.getByText("Passkey 2").waitFor()
      await button(page, "Remove").last().click()
      await page.getByText("Passkey 2").waitFor({ state: "detached" })
      await button(page, "Remove").click()
      await page.getByText("None in this browser.").waitFor()
      await other.turnAway()
      await button(page, "Add a passkey").click()
      await page.getByText("No passkey was added.").waitFor()
      await lock(page)
      expect(await button(page, "Unlock with a passkey").count()).toBe(0)
    })
  },
  240_000
)
