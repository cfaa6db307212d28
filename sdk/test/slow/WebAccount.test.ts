/** The account of a browser in a SharedWorker, in Chromium with a real home. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import type { BrowserContext, Page } from "playwright-core"
import { createIn, hasChromium, openScene, openTab, reaches, run, type Scene, stateOf } from "../web/PageKit.ts"

const passphrase = "a long enough passphrase"
let scene: Scene
let context: BrowserContext

const unlock = (tab: Page, passphrase: string) =>
  run(
    tab,
    ({ account }, passphrase) =>
      account.unlock({ passphrase }).then(
        () => undefined,
        ({ _tag, reason }: { _tag: string; reason: string }) => ({ _tag, reason })
      ),
    passphrase
  )

describe.skipIf(!hasChromium)("the account of a browser", () => {
  beforeAll(async () => {
    scene = await openScene(["1"])
  })
  afterEach(() => context?.browser()?.close())
  afterAll(() => scene?.close())

  it("is created in steps, is shared by tabs, and stays open over a reload", async () => {
    context = await scene.profile()
    const first = await openTab(scene, context, "/1/")
    assert.deepEqual(await stateOf(first), { _tag: "empty" })
    const second = await openTab(scene, context, "/1/")
    assert.deepEqual(await createIn(first, "alice", passphrase), ["sealed", "registered", "published"])
    const { handle } = await reaches(second, "open")
    assert.strictEqual(handle, "alice@localhost")
    const arrived = run(second, async ({ account }) => {
      for await (const event of account.client.events()) if (event._tag === "Message") return event.message.text
      return undefined
    })
    await run(second, ({ account }) => account.client.account())
    await run(first, ({ account }) => account.client.send("alice", "note to self"))
    assert.strictEqual(await arrived, "note to self")
    assert.strictEqual((await run(second, ({ account }) => account.storage())).messages, 1)
    await second.close()
    await first.reload()
    await reaches(first, "open")
    const texts = await run(first, async ({ account }) =>
      (await account.client.history("alice")).map(({ text }) => text)
    )
    assert.deepEqual(texts, ["note to self"])
  })

  it("is locked by lock, opens with the right passphrase only, and is gone after logOut", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    await createIn(tab, "lockable", passphrase)
    await run(tab, ({ account }) => account.lock())
    const { handle, slots } = await reaches(tab, "locked")
    assert.deepEqual([handle, slots], ["lockable@localhost", [{ kind: "passphrase" }]])
    await tab.reload()
    await reaches(tab, "locked")
    const call = run(tab, ({ account }) => account.client.account().catch(({ _tag }: { _tag: string }) => _tag))
    assert.strictEqual(await call, "AccountLocked")
    assert.deepEqual(await unlock(tab, "another passphrase"), { _tag: "VaultError", reason: "wrong_passphrase" })
    assert.strictEqual((await stateOf(tab))._tag, "locked")
    assert.isUndefined(await unlock(tab, passphrase))
    await run(tab, ({ account }) =>
      account.changePassphrase({ passphrase: "a long enough passphrase", next: "the next one" })
    )
    await run(tab, ({ account }) => account.lock())
    assert.deepEqual(await unlock(tab, passphrase), { _tag: "VaultError", reason: "wrong_passphrase" })
    assert.isUndefined(await unlock(tab, "the next one"))
    await run(tab, ({ account }) => account.lock())
    await run(tab, ({ account }) => account.logOut())
    assert.deepEqual(await stateOf(tab), { _tag: "empty" })
    assert.deepEqual(await tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), [])
    assert.deepEqual(await tab.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]), [])
  })

  it("asks again after a reload where the page says so", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    await createIn(tab, "careful", passphrase)
    await run(tab, ({ account }) => {
      account.askOnReload = true
    })
    await tab.reload()
    await reaches(tab, "locked")
  })

  it("opens where the browser keeps no key for reloads, and asks after each", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/?dedicated")
    await tab.evaluate(
      () =>
        new Promise<void>((resolve) => {
          // A version that the worker does not know cannot be opened.
          const request = indexedDB.open("kez-chat/tickets", 9)
          request.addEventListener("success", () => {
            request.result.close()
            resolve()
          })
        })
    )
    await createIn(tab, "keyless", passphrase)
    await tab.reload()
    await reaches(tab, "locked")
  })

  it("says which account is lost where the vault was cleared, and comes back from its words", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    const words = await run(tab, ({ account }) => account.newWords())
    await run(
      tab,
      async ({ account }, words) => {
        for await (const _ of account.create({ handle: "forgotten", words, passphrase: "one passphrase" }));
        await account.lock()
      },
      words
    )
    await tab.evaluate(() => new Promise((done) => (indexedDB.deleteDatabase("kez-chat/vault").onsuccess = done)))
    const other = await openTab(scene, await scene.profile(), "/1/")
    await other.context().browser()?.close()
    await run(tab, ({ account }) => account.lock())
    assert.deepEqual(await stateOf(tab), { _tag: "empty", lost: "forgotten@localhost" })
    const back = await run(tab, ({ account }, words) => account.restore({ words, passphrase: "another" }), words)
    assert.strictEqual(back.handle, "forgotten@localhost")
    assert.deepInclude(await stateOf(tab), { _tag: "open", handle: "forgotten@localhost" })
  })

  it("is resumed with the same words where its creation failed midway", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    const words = await run(tab, ({ account }) => account.newWords())
    const create = () =>
      run(
        tab,
        async ({ account }, words) => {
          const steps: Array<string> = []
          try {
            for await (const step of account.create({ handle: "midway", words, passphrase: "long enough" })) {
              steps.push(step)
            }
          } catch (error) {
            steps.push((error as { readonly _tag: string })._tag)
          }
          return steps
        },
        words
      )
    await scene.home.processes.sig.kill("SIGTERM")
    assert.deepEqual(await create(), ["sealed", "registered", "ServerUnreachable"])
    assert.strictEqual((await stateOf(tab))._tag, "opening")
    await scene.home.processes.sig.restart()
    assert.deepEqual(await create(), ["sealed", "registered", "published"])
    assert.strictEqual((await reaches(tab, "open")).handle, "midway@localhost")
  })

  it("opens by a passkey's secret as long as the vault has its slot", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    await createIn(tab, "keyed", passphrase)
    const slots = () =>
      run(tab, ({ account }) => ("slots" in account.state ? account.state.slots.map(({ kind }) => kind) : undefined))
    const withPasskey = (call: "addPasskey" | "unlock" | "removePasskey", secret = 3) =>
      run(
        tab,
        async ({ account }, [call, secret]) => {
          const [credentialId, prfSalt] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)]
          const passkey = { credentialId, prfSalt, secret: new Uint8Array(32).fill(secret) }
          try {
            await (call === "removePasskey" ? account.removePasskey(credentialId) : account[call](passkey))
            return account.state._tag
          } catch (error) {
            return (error as { readonly reason?: string }).reason
          }
        },
        [call, secret] as const
      )
    assert.strictEqual(await withPasskey("addPasskey"), "open")
    assert.deepEqual(await slots(), ["passphrase", "passkey"])
    await run(tab, ({ account }) => account.lock())
    assert.strictEqual(await withPasskey("unlock", 4), "wrong_passphrase")
    assert.strictEqual(await withPasskey("unlock"), "open")
    assert.strictEqual(await withPasskey("removePasskey"), "open")
    assert.deepEqual(await slots(), ["passphrase"])
    await run(tab, ({ account }) => account.lock())
    assert.strictEqual(await withPasskey("unlock"), "wrong_passphrase")
  })

  it("leaves this browser and its handle when it is deleted", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    await createIn(tab, "leaving", passphrase)
    await run(tab, ({ account }) => account.client.deleteAccount())
    assert.deepEqual(await reaches(tab, "empty"), { _tag: "empty" })
    assert.strictEqual(await run(tab, ({ account }) => account.handleStatus("leaving")), "taken")
    await tab.reload()
    assert.deepEqual(await reaches(tab, "empty"), { _tag: "empty" })
  })

  it("refuses a taken handle and leaves nothing behind", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    await createIn(tab, "unique", passphrase)
    const other = await openTab(scene, await scene.profile(), "/1/")
    const status = (local: string) => run(other, ({ account }, local) => account.handleStatus(local), local)
    assert.deepEqual(await Promise.all(["unique", "free-name", "admin", "No!", "x"].map(status)), [
      "taken",
      "free",
      "reserved",
      "invalid",
      "invalid"
    ])
    const code = await createIn(other, "unique", passphrase).catch((error: unknown) => String(error))
    assert.match(String(code), /handle/)
    assert.deepEqual(await stateOf(other), { _tag: "empty" })
    assert.deepEqual(await createIn(other, "unique-2", passphrase), ["sealed", "registered", "published"])
    await other.context().browser()?.close()
  })

  it("tells the words to who opens the vault again, and to no other page of the origin", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    await createIn(tab, "revealed", passphrase)
    const told = (how: { readonly passphrase: string } | undefined) =>
      run(
        tab,
        ({ account }, how) =>
          (how === undefined ? account.client.words() : account.revealWords(how)).catch(
            (error: { readonly _tag: string; readonly reason?: string }) => error.reason ?? error._tag
          ),
        how
      )
    assert.strictEqual(await told(undefined), "PassphraseNeeded")
    assert.strictEqual(await told({ passphrase: "not this one" }), "wrong_passphrase")
    assert.lengthOf((await told({ passphrase })).split(" "), 24)
  })

  it("makes and checks words", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/1/")
    const words = await run(tab, ({ account }) => account.newWords())
    const check = (text: string) => run(tab, ({ account }, text) => account.checkWords(text), text)
    assert.deepEqual(await check(`1. ${words.toUpperCase()}`), { ok: true, words })
    assert.deepEqual(await check("one two"), { ok: false, reason: "count", count: 2 })
    const wrong = words.split(" ").with(4, "abandn").join(" ")
    const found = await check(wrong)
    assert.deepInclude(found, { ok: false, reason: "word", index: 4 })
    assert.include(found.ok ? [] : (found.suggestions ?? []), "abandon")
    const swapped = Array.from({ length: 24 }, () => "abandon").join(" ")
    assert.deepEqual(await check(swapped), { ok: false, reason: "checksum", count: 24 })
  })
})
