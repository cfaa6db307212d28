/** `dns:example.org`: a TXT record at `_kez.example.org` with the compact form. */
import * as Effect from "effect/Effect"
import { utf8 } from "../../../protocol/encoding/Bytes.ts"
import { type Channel, Unreachable } from "../Channel.ts"
import * as ProofText from "../ProofText.ts"

const label = "_kez"

export const dns: Channel = {
  recipe: "dns/1",
  places: (domain) => {
    const name = `${label}.${domain}`
    return [
      {
        name: `TXT records of ${name}`,
        read: Effect.fnUntraced(function* ({ txt }) {
          const { dnssec, exists, fetchedAt, records } = yield* txt(name)
          // Resolvers without a way to the internet say of every name that it does not exist.
          if (!exists && !(yield* txt(domain)).exists) {
            return yield* new Unreachable({ reason: "network", detail: `the resolver knows no domain ${domain}` })
          }
          const found = records.flatMap((strings) =>
            ProofText.found({ url: `dns:${name}`, fetchedAt, body: utf8(strings.join("")) }, ProofText.inTxt(strings))
          )
          return { found, ...(dnssec === undefined ? {} : { dnssec }) }
        })
      }
    ]
  },
  publication: (domain, { compact }) => ({
    steps: [
      `Open the DNS settings of ${domain} at the company that runs its name servers.`,
      `Add a TXT record with the name ${label} (in full: ${label}.${domain}) and the text below as its value.`,
      "If pieces of at most 255 characters are asked for, cut it anywhere and add nothing between the pieces."
    ],
    text: compact,
    where: `TXT record of ${label}.${domain}`
  })
}
