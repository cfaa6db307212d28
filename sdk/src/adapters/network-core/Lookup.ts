/**
 * Looks names up once and checks each address before connecting. Callers must connect to the returned addresses and not
 * look the name up again, since a second DNS answer could differ (spec KEZ-REG-033).
 */
import * as Result from "effect/Result"
import { promises as dns, type LookupAddress } from "node:dns"
import { isIP, type LookupFunction } from "node:net"
import * as AddressClass from "../../protocol/registration/AddressClass.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as HomeReach from "../../services/homes/HomeReach.ts"

/** Looks up all addresses of a name, in the system's order. */
export type Resolve = (host: string) => Promise<ReadonlyArray<LookupAddress>>

const bySystem: Resolve = (host) => dns.lookup(host, { all: true, order: "verbatim" })

/** RFC 6761: never resolved by DNS, whose answer could send plaintext off this machine. */
const thisMachine: ReadonlyArray<LookupAddress> = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 }
]

/**
 * The addresses of a host (without brackets) that may be connected to. With `reach`, those that the home may name; if
 * there are only others, it rejects with the {@link Problem} `address_forbidden`. Rejects as `dns.lookup` does.
 */
export const addressesOf = async (
  host: string,
  reach: HomeReach.HomeReach | undefined,
  resolve: Resolve = bySystem
): Promise<ReadonlyArray<LookupAddress>> => {
  const family = isIP(host)
  const found =
    family !== 0 ? [{ address: host, family }] : AddressClass.isLoopback(host) ? thisMachine : await resolve(host)
  if (reach === undefined) return found
  const refusals: Array<Problem> = []
  const permitted = found.filter(({ address }) => {
    const named = AddressClass.ofHost(address) ?? "unusable"
    const checked = HomeReach.check(reach, host === address ? host : `${host} (${address})`, named)
    if (Result.isFailure(checked)) refusals.push(checked.failure)
    return Result.isSuccess(checked)
  })
  const [refusal] = refusals
  if (permitted.length === 0 && refusal !== undefined) throw refusal
  return permitted
}

/** {@link addressesOf} in the form that sockets take. */
export const lookup = (reach: HomeReach.HomeReach | undefined, resolve?: Resolve): LookupFunction => {
  const answer = async (...[host, { all, family }, callback]: Parameters<LookupFunction>): Promise<void> => {
    let found: ReadonlyArray<LookupAddress>
    try {
      found = await addressesOf(host, reach, resolve)
    } catch (error) {
      return callback(error as Error, "")
    }
    const wanted = { 0: undefined, 4: 4, 6: 6, IPv4: 4, IPv6: 6 }[family ?? 0]
    const matching = found.filter((one) => wanted === undefined || one.family === wanted)
    const [first] = matching
    if (first === undefined) callback(Object.assign(new Error(`${host} has no address`), { code: "ENOTFOUND" }), "")
    else if (all === true) callback(null, matching)
    else callback(null, first.address, first.family)
  }
  return (...parameters) => void answer(...parameters)
}
