/** `other`: the code is no safety number at all, so it says nothing about the key. */
export type Scanned = "same" | "different" | "other"

const form = /^kez:sn1:[A-Za-z0-9_-]{86}$/

/** Compares a scanned code with the one that this side shows. */
export const compareScanned = (scanned: string, shown: string): Scanned => {
  const code = scanned.trim()
  if (!form.test(code)) return "other"
  return code === shown ? "same" : "different"
}
