/** How a client reached its home server, which limits what the home may have it connect to (spec KEZ-REG-031). */
import * as Result from "effect/Result"
import * as AddressClass from "../protocol/registration/AddressClass.ts"
import { fail, type Problem } from "../protocol/Problem.ts"

export interface HomeReach {
  /** Origin of the home server, for messages. */
  readonly home: string
  /** The class of the address at which the home answered last. */
  readonly addressClass: () => AddressClass.AddressClass
}

/**
 * What can be known of a home by its URL alone, where addresses cannot be seen (browsers, proxies): a name that is not
 * local counts as public.
 */
export const ofUrl = (home: string): HomeReach => {
  const url = URL.parse(home)
  const addressClass = url === null ? "public" : (AddressClass.ofHost(url.hostname) ?? "public")
  return { home: url?.origin ?? home, addressClass: () => addressClass }
}

/** Passes an address of class `named` that the home led to by `host`, or fails with `address_forbidden`. */
export const check = (
  reach: HomeReach,
  host: string,
  named: AddressClass.AddressClass
): Result.Result<void, Problem> => {
  const home = reach.addressClass()
  if (AddressClass.mayName(home, named)) return Result.succeed(undefined)
  const reason =
    named === "unusable"
      ? "no server can be there"
      : `${reach.home} is reached at ${AddressClass.describe[home]} address, so only public addresses${home === "public" ? "" : " and those of that kind"} are its to name`
  return fail("address_forbidden", `${reach.home} names ${host}, ${AddressClass.describe[named]} address: ${reason}`)
}

/** {@link check} of a URL's host by itself; a name that says nothing passes, since only its addresses could tell. */
export const checkHost = (reach: HomeReach, host: string): Result.Result<void, Problem> => {
  const named = AddressClass.ofHost(host)
  return named === undefined ? Result.succeed(undefined) : check(reach, host, named)
}
