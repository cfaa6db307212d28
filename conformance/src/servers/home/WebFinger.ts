/** `GET /.well-known/webfinger` (spec: registration, RFC 7033). */
import { group } from "../Check.ts"
import { equals, hasHeader, hasStatus, holds, isOpen, isProblem, jsonOf } from "../Expect.ts"
import type { Answer } from "../Target.ts"
import type { Account, HomeVisit } from "./HomeVisit.ts"

interface Jrd {
  readonly subject?: string
  readonly aliases?: ReadonlyArray<string>
  readonly links?: ReadonlyArray<{ readonly rel: string; readonly href?: string }>
}

const ask = (home: HomeVisit, query: string): Promise<Answer> => home.target.get(`/.well-known/webfinger${query}`)
const acct = (home: HomeVisit, handle: string): string => `?resource=acct:${handle}%40${home.server}`
const find = (home: HomeVisit, { handle }: Pick<Account, "handle">, more = "") =>
  ask(home, `${acct(home, handle)}${more}`)

const linksOf = (answer: Answer) => ((jsonOf(answer) as Jrd).links ?? []).map(({ rel }) => rel).toSorted()

const refusedWith = (answer: Answer, status: number): void => {
  hasStatus(answer, status)
  isProblem(answer)
}

const noResources: ReadonlyArray<readonly [id: string, query: string, why: string]> = [
  ["no-resource", "", "no resource"],
  ["two-resources", "?resource=acct:kezct-a%40x.example&resource=acct:kezct-b%40x.example", "two resources"],
  ["https-resource", "?resource=https%3A%2F%2Fkezct.example%2F", "a resource of another scheme"],
  ["bare-resource", "?resource=acct:kezct", "no server part"]
]

export const webfinger = group<HomeVisit>("server/webfinger", [
  {
    id: "jrd",
    requirements: ["KEZ-WF-001"],
    why: "other systems find the key of a handle",
    run: async (home) => {
      const account = await home.account()
      const answer = await find(home, account)
      hasStatus(answer, 200)
      hasHeader(answer, "content-type", /^application\/jrd\+json\s*(?:;|$)/i)
      const { aliases, links = [], subject } = jsonOf(answer) as Jrd
      equals(answer, subject, `acct:${account.handle}@${home.server}`, "subject")
      holds(answer, aliases?.includes(account.signer.primary) === true, "aliases lack the primary")
      const href = (rel: string) => links.find((link) => link.rel === rel)?.href ?? ""
      holds(answer, href("urn:kez:record").includes(`/v1/u/${account.handle}`), "no link leads to the record")
      holds(answer, href("urn:kez:sigchain").endsWith(account.signer.hex), "no link leads to the sigchain")
    }
  },
  {
    id: "cors",
    requirements: ["KEZ-WF-004"],
    why: "RFC 7033 wants it open to pages",
    run: async (home) => isOpen(await find(home, await home.account()))
  },
  {
    id: "rel",
    requirements: ["KEZ-WF-005"],
    why: "who asks for one relation gets that one",
    run: async (home) => {
      const account = await home.account()
      const one = await find(home, account, "&rel=urn:kez:record")
      equals(one, linksOf(one), ["urn:kez:record"], "the list of relations")
      const two = await find(home, account, "&rel=urn:kez:record&rel=urn:kez:sigchain")
      equals(two, linksOf(two), ["urn:kez:record", "urn:kez:sigchain"], "the list of relations")
      const none = await find(home, account, "&rel=urn:kezct")
      equals(none, linksOf(none), [], "the list of relations")
    }
  },
  {
    id: "unknown",
    requirements: ["KEZ-WF-003"],
    why: "a handle that nobody has",
    reads: true,
    run: async (home) => refusedWith(await find(home, { handle: home.newHandle() }), 404)
  },
  {
    id: "other-server",
    requirements: ["KEZ-WF-003"],
    why: "a handle of another server",
    reads: true,
    run: async (home) => refusedWith(await ask(home, `?resource=acct:${home.newHandle()}%40kezct.example`), 404)
  },
  {
    id: "deleted",
    requirements: ["KEZ-WF-003", "KEZ-REG-026"],
    why: "a deleted handle is gone here too",
    run: async (home) => refusedWith(await find(home, await home.deletedAccount()), 410)
  },
  ...noResources.map(([id, query, why]) => ({
    id,
    requirements: ["KEZ-WF-002"],
    why,
    reads: true as const,
    run: async (home: HomeVisit) => refusedWith(await ask(home, query), 400)
  }))
])
