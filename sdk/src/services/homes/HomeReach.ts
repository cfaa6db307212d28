/** How a client reached its home server, which restricts the addresses that the home may name (spec KEZ-REG-031). */
import * as Result from "effect/Result"
import * as AddressClass from "../../protocol/registration/AddressClass.ts"
import { fail, type Problem } from "../../protocol/Problem.ts"

export interface HomeReach {
  /** Origin of the home server, for messages. */
  readonly home: string
  /** The class of the home's last answering address. */
  readonly addressClass: () => AddressClass.AddressClass
  /** Not the user's home: it is at public addresses only, and so is what it names (spec KEZ-REG-102). */
  readonly isOther?: true
}

/** The reach of a home by its URL, where addresses are hidden (browsers, proxies): a name not local is public. */
export const ofUrl = (home: string): HomeReach => {
  const url = URL.parse(home)
  const addressClass = url === null ? "public" : (AddressClass.ofHost(url.hostname) ?? "public")
  return { home: url?.origin ?? home, addressClass: () => addressClass }
}

/** The reach of another home than the user's, by its server name. */
export const ofOther = (server: string): HomeReach => ({
  home: `https://${server}`,
  addressClass: () => "public",
  isOther: true
})

/** Accepts an address of class `named` that the home named through `host`, or fails with `address_forbidden`. */
export const check = (
  reach: HomeReach,
  host: string,
  named: AddressClass.AddressClass
): Result.Result<void, Problem> => {
  const home = reach.addressClass()
  if (AddressClass.mayName(home, named)) return Result.succeed(undefined)
  if (reach.isOther === true) {
    const detail = `${host} has ${AddressClass.describe[named]} address: other homes are asked at public ones only`
    return fail("address_forbidden", detail)
  }
  const reason =
    named === "unusable"
      ? "no server can have that address"
      : `${reach.home} is reached at ${AddressClass.describe[home]} address, so it may name only public addresses${home === "public" ? "" : " and those of that kind"}`
  return fail("address_forbidden", `${reach.home} names ${host}, ${AddressClass.describe[named]} address: ${reason}`)
}

/**
 * {@link check} for a URL's host without a lookup; a name that is not local passes. For another home it is the only
 * check behind a proxy and in a browser, so that it must be a name.
 */
export const checkHost = (reach: HomeReach, host: string): Result.Result<void, Problem> => {
  const named = AddressClass.ofHost(host)
  if (reach.isOther === true && named === "public") {
    return fail("address_forbidden", `${host} is an address: other homes are asked by name only`)
  }
  return named === undefined ? Result.succeed(undefined) : check(reach, host, named)
}
