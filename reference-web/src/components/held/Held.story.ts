import { html } from "lit"
import { fakeClient, noon, person } from "../../gallery/FakeClient.ts"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Held.ts"

const oskar = person("oskar@kez.lat", "3e")

export default {
  element: "kez-held",
  height: 640,
  states: {
    two: () =>
      html`<kez-held
        server="kez.lat"
        .client=${fakeClient({
          calls: {
            held: async () => [
              {
                handle: oskar.handle,
                primary: oskar.primary,
                messages: 2,
                dropped: 0,
                firstAt: noon,
                lastAt: noon,
                sentence: "github:chris cannot be checked now",
                claims: [Sample.claims[2]!]
              },
              {
                handle: `ed25519:${"4f".repeat(32)}`,
                primary: `ed25519:${"4f".repeat(32)}`,
                messages: 20,
                dropped: 31,
                firstAt: noon,
                lastAt: noon,
                sentence: "they claim nothing",
                claims: []
              }
            ]
          }
        })}
      ></kez-held>`,
    none: () => html`<kez-held .client=${fakeClient({ calls: { held: async () => [] } })}></kez-held>`
  }
} satisfies Story
