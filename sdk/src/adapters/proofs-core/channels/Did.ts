/** `did:web:example.org`: the compact form, which is a URI, in `alsoKnownAs` of the DID's document. */
import * as Effect from "effect/Effect"
import type { Channel } from "../Channel.ts"
import * as DidDocument from "../DidDocument.ts"
import * as ProofText from "../ProofText.ts"

export const did: Channel = {
  recipe: "did/1",
  places: (id) => {
    const url = DidDocument.webUrlOf(`did:${id}`)
    if (url === undefined) return []
    return [
      {
        name: `alsoKnownAs in ${url}`,
        read: Effect.fnUntraced(function* (tools) {
          const document = yield* DidDocument.fetch(tools, `did:${id}`)
          if (document === undefined) return { found: [] }
          const texts = document.alsoKnownAs.filter((uri) => uri.startsWith("kez:z1:"))
          return { found: ProofText.found(document.page, texts.flatMap(ProofText.inText)) }
        })
      }
    ]
  },
  publication: (id, { compact }) => ({
    steps: [
      `Open the DID document of did:${id} where you keep it.`,
      'Add the text below to the list "alsoKnownAs", beside what is there, and publish the document.'
    ],
    text: compact,
    where: `alsoKnownAs of did:${id}`
  })
}
