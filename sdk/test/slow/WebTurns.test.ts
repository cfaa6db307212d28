/** One worker holds the account: dedicated workers of two tabs, two builds, and a worker that ends. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import type { BrowserContext, Page } from "playwright-core"
import { createIn, hasChromium, openScene, openTab, reaches, run, type Scene, type Window } from "../web/PageKit.ts"

const passphrase = "a long enough passphrase"
let scene: Scene
let context: BrowserContext

const texts = (tab: Page, who: string) =>
  run(tab, async ({ account }, who) => (await account.client.history(who)).map(({ text }) => text), who)

const send = (tab: Page, who: string, text: string) =>
  run(tab, ({ account }, [who, text]) => account.client.send(who, text), [who, text] as const)

const takeOver = (tab: Page) => run(tab, ({ account }) => account.takeOver())

describe.skipIf(!hasChromium)("the holder of an account", () => {
  beforeAll(async () => {
    scene = await openScene(["7", "8"])
  })
  afterEach(() => context?.browser()?.close())
  afterAll(() => scene?.close())

  it("is one dedicated worker, which gives the account to the tab that asks for it, and back", async () => {
    context = await scene.profile()
    const [first, second] = [
      await openTab(scene, context, "/7/?dedicated"),
      await openTab(scene, context, "/7/?dedicated")
    ] as const
    await createIn(first, "moving", passphrase)
    await reaches(second, "elsewhere")
    await send(first, "moving", "one")
    const acknowledged = send(first, "moving", "two").then(
      () => true,
      () => false
    )
    await takeOver(second)
    await reaches(second, "open")
    await reaches(first, "elsewhere")
    // The second one was under way: stored or refused, and stored if it was acknowledged.
    const written = await texts(second, "moving")
    assert.deepEqual(written, (await acknowledged) || written.length === 2 ? ["one", "two"] : ["one"])
    await send(second, "moving", "three")
    await takeOver(first)
    await reaches(first, "open")
    await reaches(second, "elsewhere")
    assert.deepEqual(await texts(first, "moving"), [...written, "three"])
    await run(first, ({ account }) => account.lock())
    // Nobody holds it now, and no ticket is worth anything.
    await reaches(second, "locked")
  })

  it("is followed by a tab that waits when its tab is closed", async () => {
    context = await scene.profile()
    const first = await openTab(scene, context, "/7/?dedicated")
    const second = await openTab(scene, context, "/7/?dedicated")
    await createIn(first, "closing", passphrase)
    await reaches(second, "elsewhere")
    await first.close()
    await reaches(second, "locked")
    await run(second, ({ account }, passphrase) => account.unlock({ passphrase }), passphrase)
    await reaches(second, "open")
  })

  it.each(["", "?dedicated"])("is of the newer build, whichever was there first (%s)", async (kind) => {
    context = await scene.profile()
    const older = await openTab(scene, context, `/7/${kind}`)
    await createIn(older, kind === "" ? "building" : "rebuilding", passphrase)
    const newer = await openTab(scene, context, `/8/${kind}`)
    await reaches(older, "superseded")
    assert.strictEqual((await reaches(newer, "open"))._tag, "open")
    const late = await openTab(scene, context, `/7/${kind}`)
    await reaches(late, "superseded")
    assert.strictEqual((await reaches(newer, "open"))._tag, "open")
    const refused = run(late, ({ account }) => account.client.account().catch(({ _tag }: { _tag: string }) => _tag))
    assert.strictEqual(await refused, "AccountLocked")
  })

  it.each(["", "?dedicated"])("is made where it was begun, and then of the newer build (%s)", async (kind) => {
    context = await scene.profile()
    const older = await openTab(scene, context, `/7/${kind}`)
    const newer = await openTab(scene, context, `/8/${kind}`)
    await older.waitForFunction(() => (globalThis as unknown as Window).account.state._tag === "empty")
    await older.waitForFunction(() => "superseded" in (globalThis as unknown as Window).account.state)
    const handle = kind === "" ? "finishing" : "completing"
    assert.deepEqual(await createIn(older, handle, passphrase), ["sealed", "registered", "published"])
    await reaches(older, "superseded")
    const { _tag } = await Promise.race([reaches(newer, "locked"), reaches(newer, "open")])
    if (_tag === "locked") await run(newer, ({ account }, passphrase) => account.unlock({ passphrase }), passphrase)
    assert.strictEqual((await reaches(newer, "open")).handle, `${handle}@localhost`)
  })

  it("is started again and opens by itself when it is killed, and calls under way are refused", async () => {
    context = await scene.profile()
    const tab = await openTab(scene, context, "/7/?dedicated")
    await createIn(tab, "killed", passphrase)
    await send(tab, "killed", "before")
    const pending = run(tab, async ({ account, worker }) => {
      const call = account.client.serve().catch(({ _tag }: { _tag: string }) => _tag)
      const loop = (async () => {
        let items = 0
        for await (const _ of account.client.connection()) items += 1
        return items
      })()
      worker.terminate()
      return [await call, typeof (await loop)]
    })
    assert.deepEqual(await pending, ["ClientClosed", "number"])
    await reaches(tab, "open")
    assert.deepEqual(await texts(tab, "killed"), ["before"])
  })

  it("says so when it cannot be started", async () => {
    context = await scene.profile()
    await context.route("**/worker-*.js", (route) => route.abort())
    const tab = await openTab(scene, context, "/7/?dedicated")
    assert.deepInclude(await reaches(tab, "broken"), { reason: "not_started" })
  })
})
