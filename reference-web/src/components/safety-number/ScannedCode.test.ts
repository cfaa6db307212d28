import { expect, it } from "vitest"
import { compareScanned } from "./ScannedCode.ts"

const shown = `kez:sn1:${"Qm7x".repeat(21)}Qw`

it.each([
  [shown, "same"],
  [` ${shown}\n`, "same"],
  [`kez:sn1:${"Qm7x".repeat(21)}Qg`, "different"],
  [shown.slice(0, -1), "other"],
  [`${shown}x`, "other"],
  [shown.toUpperCase(), "other"],
  ["https://kez.lat/", "other"],
  ["", "other"]
])("%j is %s", (scanned, found) => {
  expect(compareScanned(scanned, shown)).toBe(found)
})
