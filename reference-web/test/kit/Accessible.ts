import axe from "axe-core"
import type { Page } from "playwright-core"
import { expect } from "vitest"

/** Resolves when what fades or slides has arrived: a colour on its way has no contrast of its own. */
const settled = `(async () => {
  const all = (root) => [
    ...root.getAnimations(),
    ...[...root.querySelectorAll("*")].flatMap(({ shadowRoot }) => (shadowRoot === null ? [] : all(shadowRoot)))
  ]
  const ending = all(document).filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity)
  await Promise.allSettled(ending.map(({ finished }) => finished))
})()`

/** Runs axe over the whole screen in light and dark. The policy of the page forbids it scripts, but not the debugger. */
export const accessible = async (page: Page): Promise<void> => {
  const debug = await page.context().newCDPSession(page)
  const evaluate = async (expression: string): Promise<unknown> =>
    (await debug.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result.value
  if ((await evaluate("typeof axe")) === "undefined") await evaluate(`${axe.source}; undefined`)
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme })
    await evaluate(settled)
    const found = await evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
        [id, JSON.stringify(target), failureSummary].join(" "))))`)
    expect(found, `${page.url()} in ${colorScheme}`).toEqual([])
  }
  await page.emulateMedia({ colorScheme: null })
  await debug.detach()
}
