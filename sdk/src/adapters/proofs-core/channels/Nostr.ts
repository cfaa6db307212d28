/** `nostr:npub1…`: the profile, an event of kind 30078 with `d` = `kez`, and notes, from several relays. */
import * as Effect from "effect/Effect"
import type { FoundProof } from "../../../services/ProofFetcher.ts"
import { type Channel, Unreachable } from "../Channel.ts"
import * as NostrEvent from "../NostrEvent.ts"
import * as ProofText from "../ProofText.ts"
import * as Json from "../ProviderJson.ts"

/** Kinds of NIP-01 and NIP-78. */
const kinds = { profile: 0, note: 1, applicationData: 30_078 }
const identifier = "kez"
const notes = 100

const filters = (author: string) => [
  { kinds: [kinds.profile], authors: [author], limit: 1 },
  { kinds: [kinds.applicationData], authors: [author], "#d": [identifier], limit: 1 },
  { kinds: [kinds.note], authors: [author], limit: notes }
]

const isOurs = ({ kind, tags }: NostrEvent.NostrEvent): boolean =>
  kind === kinds.profile ||
  kind === kinds.note ||
  (kind === kinds.applicationData && tags.find(([name]) => name === "d")?.[1] === identifier)

/** Of events that replace each other, the newest holds, and of two of one second that with the lower id (NIP-01). */
const isNewer = (a: NostrEvent.NostrEvent, b: NostrEvent.NostrEvent): boolean =>
  a.created_at === b.created_at ? a.id < b.id : a.created_at > b.created_at

const rank = [kinds.profile, kinds.applicationData, kinds.note]

const textsOf = ({ content, kind }: NostrEvent.NostrEvent): ReadonlyArray<string> => {
  if (kind === kinds.applicationData) return ProofText.inFile(content)
  return ProofText.inText(kind === kinds.profile ? aboutOf(content) : content)
}

const aboutOf = (content: string): string => {
  try {
    return Json.text(JSON.parse(content), "about") ?? ""
  } catch {
    return ""
  }
}

export const nostr: Channel = {
  recipe: "nostr/1",
  places: (npub) => {
    const author = NostrEvent.publicKeyOf(npub)
    if (author === undefined) return []
    return [
      {
        name: `profile and notes of ${npub}`,
        read: Effect.fnUntraced(function* ({ events }) {
          const answers = yield* events(filters(author))
          const [missed] = answers.flatMap((answer) => (answer instanceof Unreachable ? answer : (answer.missed ?? [])))
          const newest = new Map<string, { readonly event: NostrEvent.NostrEvent; readonly found: Array<FoundProof> }>()
          for (const answer of answers) {
            if (answer instanceof Unreachable) continue
            for (const value of answer.events.slice(0, notes + 2)) {
              if (Json.text(value, "pubkey") !== author) continue
              const event = NostrEvent.verified(value)
              if (event === undefined || !isOurs(event)) continue
              const key = event.kind === kinds.note ? event.id : String(event.kind)
              const known = newest.get(key)
              if (known !== undefined && !isNewer(event, known.event)) continue
              const page = {
                url: `${answer.relay}#${event.id}`,
                fetchedAt: answer.fetchedAt,
                body: NostrEvent.serialise(event)
              }
              newest.set(key, { event, found: [...ProofText.found(page, textsOf(event))] })
            }
          }
          const order = (event: NostrEvent.NostrEvent) => rank.indexOf(event.kind)
          const found = [...newest.values()]
            .sort((a, b) => order(a.event) - order(b.event) || (isNewer(a.event, b.event) ? -1 : 1))
            .flatMap((one) => one.found)
          return { found, ...(missed === undefined ? {} : { missed }) }
        })
      }
    ]
  },
  publication: (npub, { compact }) => ({
    steps: [
      "Open a nostr client that holds the key of this npub.",
      'Add the text below to "About" of the profile, or publish it as a note.',
      `A note counts while it is among the last ${notes}.`
    ],
    text: compact,
    where: `profile or a note of ${npub}`
  })
}
