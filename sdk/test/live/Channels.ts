/**
 * Asks the live providers of every channel, which no other test does.
 *
 *     npm run test:live                        an identity of each channel that is known to be there
 *     npm run test:live -- github:you ...      identities of your own, and whether they show proofs
 *
 * Needs the internet: DNS over UDP, and https to the hosts that are printed. GitHub answers 60 such requests an hour.
 * Exits with 1 unless every identity could be asked.
 */
import process from "node:process"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { NodeProofs, Zstd } from "@kez-chat/sdk/node"
import { Claim, Encoding, Identifier } from "@kez-chat/sdk/protocol"
import { type Fetched, ProofFetcher, type ProofUnreachable } from "@kez-chat/sdk/services"

/** Known for years; none is known to show a proof. */
const wellKnown = [
  "dns:ietf.org",
  "github:octocat",
  "web:https://example.com",
  "nostr:npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6",
  "bluesky:bsky.app",
  "ap:Gargron@mastodon.social",
  "did:web:danubetech.com"
]

const say = (line: string) => process.stdout.write(`${line}\n`)

const describe = (text: string): string => {
  const claim = Result.flatMap(Encoding.decode(text, Zstd.decompress), Claim.parse)
  return Result.isSuccess(claim)
    ? `a claim of ${claim.success.subject} by ${claim.success.primary} (not verified here)`
    : `no claim: ${claim.failure.message}`
}

const report = (subject: string, how: string, { asked, dnssec, found, missed, recipe }: Fetched): boolean => {
  say(`✓ ${subject} ${how}: ${recipe} asked ${asked.join(", ")}${dnssec === undefined ? "" : `; DNSSEC ${dnssec}`}`)
  if (found.length === 0) say("    no candidate")
  for (const { text, url } of found) say(`    ${url}: ${describe(text)}`)
  if (missed !== undefined) say(`    ✗ in part: ${missed.message}`)
  return missed === undefined
}

const ask = (subject: string, how: string, options: NodeProofs.NodeProofOptions) => {
  const identifier = Identifier.parse(subject)
  if (Result.isFailure(identifier)) {
    say(`✗ ${subject}: ${identifier.failure.message}`)
    return Effect.succeed(false)
  }
  return ProofFetcher.use((fetcher) => fetcher.fetch(identifier.success)).pipe(
    Effect.map((answer) => report(subject, how, answer)),
    Effect.catch((error: ProofUnreachable) => {
      say(`✗ ${error.message} (${error.reason})`)
      return Effect.succeed(false)
    }),
    Effect.provide(NodeProofs.layer(options))
  )
}

const own = process.argv.slice(2)
const subjects = own.length > 0 ? own : wellKnown
const overHttps = { dnsOverHttps: "https://cloudflare-dns.com/dns-query" }
const outcomes = await Effect.runPromise(
  Effect.all([
    ...subjects.map((subject) => ask(subject, "live", {})),
    ...subjects.filter((subject) => subject.startsWith("dns:")).map((subject) => ask(subject, "over HTTPS", overHttps))
  ])
)
const failed = outcomes.filter((isAnswered) => !isAnswered).length
say(
  failed === 0
    ? `all ${outcomes.length} were answered`
    : `${failed} of ${outcomes.length} could not be asked from this machine: nothing is known of these providers' present answers`
)
process.exitCode = failed === 0 ? 0 : 1
