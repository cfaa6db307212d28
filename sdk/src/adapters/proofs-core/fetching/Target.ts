/** Which URLs of strangers are asked at all (spec KEZ-PRF-110). */
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"

/** Characters of a URL, which is kept with what was found there. */
const urlMax = 2_048

/** Why a URL is not asked; undefined if its host's addresses decide. */
export const refusal = (url: URL, protocol: "https:" | "wss:", isChosen: (url: URL) => boolean): string | undefined => {
  if (url.username !== "" || url.password !== "") return `the URL for ${url.host} carries a password`
  if (url.href.length > urlMax) return `the URL for ${url.host} is too long`
  if (isChosen(url)) return undefined
  if (url.protocol !== protocol) return `${url.protocol}//${url.host} is not https`
  const named = AddressClass.ofHost(url.hostname)
  return named === undefined || named === "public"
    ? undefined
    : `${url.host} is ${AddressClass.describe[named]} address or a local name`
}
