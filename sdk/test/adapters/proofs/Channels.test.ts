/** Every channel passes the kit. */
import { type ChannelUnderTest, proofFetcherKit } from "../../kits/proofs/ProofFetcherKit.ts"
import { text } from "../../kits/proofs/HttpsHosts.ts"

const segments = (value: string): ReadonlyArray<string> => value.match(/.{1,255}/g) ?? []

const channels: Readonly<Record<string, ChannelUnderTest>> = {
  dns: {
    subject: "dns:alice.kez.test",
    publish: ({ dns }, { text }) => dns.txt.set("_kez.alice.kez.test", [["v=spf1 -all"], segments(text)]),
    remove: ({ dns }) => dns.txt.delete("_kez.alice.kez.test"),
    fail: ({ dns }) => {
      dns.fails = "SERVFAIL"
    }
  },
  github: {
    subject: "github:Octo-Cat",
    register: ({ github }) => github.users.add("Octo-Cat"),
    publish: ({ github }, { text }) => github.gists.push({ owner: "Octo-Cat", files: { "kez.md": text } }),
    remove: ({ github }) => github.gists.splice(0),
    host: "api.github.com"
  },
  web: {
    subject: "web:https://site.kez.test/~alice",
    register: ({ https }) => https.handlers.set("site.kez.test", (_, response) => text(response, "not here", 404)),
    publish: ({ https }, publication) =>
      https.handlers.set("site.kez.test", (_, response, { pathname }) =>
        pathname === "/~alice/.well-known/kez.json" ? text(response, publication.text) : text(response, "", 404)
      ),
    remove: ({ https }) => https.handlers.set("site.kez.test", (_, response) => text(response, "gone", 410)),
    host: "site.kez.test"
  }
}

for (const [system, channel] of Object.entries(channels)) proofFetcherKit(system, channel)
