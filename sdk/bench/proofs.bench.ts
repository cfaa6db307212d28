/**
 * How long a device takes to check the claims of all its contacts again, and how often it asks one host meanwhile: 200
 * claims of eight contacts, 80 at GitHub's hosts, 60 in the DNS and 60 on one web server, all served on this machine.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { NodeProofs } from "@kez-chat/sdk/node"
import { append } from "../test/client/kit/Liar.ts"
import { identityOf, join, makeWorld } from "../test/client/kit/People.ts"
import { domain, proofServers } from "../test/kits/proofs/ProofServers.ts"
import { serve, text } from "../test/kits/proofs/HttpsHosts.ts"
import { report } from "./Report.ts"

const contacts = 8
const perContact = 25
const subjectOf = (n: number): string => {
  if (n < 80) return `github:user-${n}`
  return n < 140 ? `dns:n${n}.example.org` : `web:https://pages.${domain}/n${n}`
}

const measured = await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const servers = yield* proofServers
      serve(servers.https, `pages.${domain}`, (_, response) => text(response, "not found", 404))
      servers.github.limit.remaining = 1_000
      for (let n = 0; n < 80; n++) servers.github.users.add(`user-${n}`)
      const { spacingMillis: _, ...options } = servers.options()
      const world = makeWorld({ proofs: NodeProofs.layer(options) })
      const alice = yield* join(world, "alice")
      for (let c = 0; c < contacts; c++) {
        const friend = yield* join(world, `friend-${c}`)
        const identity = yield* identityOf(friend.words)
        for (let m = 0; m < perContact; m++) {
          yield* append(world, identity, { op: "add", payload: { subject: subjectOf(m * contacts + c) } })
        }
        yield* friend.program.close
      }
      const began = yield* Clock.currentTimeMillis
      for (let c = 0; c < contacts; c++) yield* alice.chat.addContact(`friend-${c}`)
      const checked = Effect.gen(function* () {
        let count = 0
        for (let c = 0; c < contacts; c++) {
          const claims = yield* alice.chat.proofs(`friend-${c}`)
          count += claims.filter(({ checkedAt }) => checkedAt !== undefined).length
        }
        return count
      })
      for (let count = 0; count < contacts * perContact;) {
        yield* Effect.sleep("1 second")
        count = yield* checked
        if ((yield* Clock.currentTimeMillis) - began > 15 * 60_000) break
      }
      const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
      const busiest = Math.max(
        ...servers.https.requests.map(
          ({ at, host }) =>
            servers.https.requests.filter((other) => other.host === host && other.at >= at && other.at < at + 10_000)
              .length
        )
      )
      return { seconds, count: yield* checked, asked: servers.https.requests.length, busiest }
    })
  )
)

report(
  "Checking the claims of all contacts",
  [
    {
      name: "200 claims checked",
      value: measured.seconds,
      unit: "s",
      against: `${measured.count} claims, ${measured.asked} requests over HTTPS`,
      aim: { atMost: 600 }
    },
    {
      name: "requests to one host in 10 s",
      value: measured.busiest,
      unit: "",
      against: "the most in any 10 s; two a second",
      aim: { atMost: 21 }
    }
  ],
  ["the pace is the limit, not the machine"]
)
