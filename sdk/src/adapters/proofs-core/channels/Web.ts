/** `web:https://example.org/~alice`: the file `.well-known/kez.json` below that address. */
import * as Effect from "effect/Effect"
import type { Channel } from "../Channel.ts"
import * as ProofText from "../ProofText.ts"

const fileOf = (base: string): string => `${base}/.well-known/kez.json`

export const web: Channel = {
  recipe: "web/1",
  places: (base) => [
    {
      name: fileOf(base),
      read: Effect.fnUntraced(function* ({ get }) {
        const page = yield* get(fileOf(base))
        return { found: page === undefined ? [] : ProofText.found(page, ProofText.inFile(ProofText.textOf(page.body))) }
      })
    }
  ],
  publication: (base, { json }) => ({
    steps: [
      "Save the text below as a file named kez.json.",
      `Upload it so that it is served at ${fileOf(base)}, without a redirect to another host.`
    ],
    text: json,
    where: fileOf(base)
  })
}
