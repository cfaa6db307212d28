/** Shortest passphrase, in characters. */
export const minLength = 10

/** What others try first, compared in small letters and without blanks. */
const common = new Set([
  "password",
  "passphrase",
  "passw0rd",
  "iloveyou",
  "letmein",
  "welcome",
  "qwertyuiop",
  "qwertzuiop",
  "asdfghjkl",
  "1q2w3e4r5t",
  "q1w2e3r4t5",
  "abcdefghij",
  "correcthorsebatterystaple",
  "administrator",
  "changeme",
  "football",
  "princess",
  "sunshine",
  "trustno1"
])

/** A common one with digits or signs around it, or twice, is as easily guessed. */
const isCommon = (passphrase: string, name: string): boolean => {
  const plain = passphrase.toLowerCase().replace(/\s/g, "")
  const core = plain.replace(/^[^a-z]+|[^a-z]+$/g, "")
  const half = core.slice(0, core.length / 2)
  const tried = [plain, core, ...(half + half === core ? [half] : [])]
  return (
    new Set(plain).size <= 3 ||
    "01234567890123456789".includes(plain) ||
    "98765432109876543210".includes(plain) ||
    tried.some((one) => common.has(one) || (name !== "" && one === name))
  )
}

export type PassphraseStrength = "short" | "common" | "enough" | "good" | "strong"

/** Strength by length alone; `short` and `common` are refused. `name` is the owner's, which others would try. */
export const strengthOf = (passphrase: string, name: string): PassphraseStrength => {
  const length = Array.from(passphrase).length
  if (length < minLength) return "short"
  if (isCommon(passphrase, name)) return "common"
  return length < 14 ? "enough" : length < 20 ? "good" : "strong"
}
