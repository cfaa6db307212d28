import * as Effect from "effect/Effect"
import * as Home from "../../profile/Home.ts"
import * as Profile from "../../profile/Profile.ts"
import { Json, result, Sanitise, warn } from "../../terminal/output/index.ts"

/** Answers from the profile alone: no passphrase, no store, no network. */
export const whoami = Effect.fn("whoami")(function* () {
  const { paths, profile } = yield* Profile.required
  const { url } = yield* Home.discover({ profile: profile.home })
  if (profile.step !== "published") {
    yield* warn("this account is not complete yet: any command that goes online resumes its creation")
  }
  yield* result({
    json: () => ({
      ...Json.account(paths.name, { ...profile, home: url }),
      files: { config: paths.profile, store: paths.store }
    }),
    text: (style) => [
      style.name(Sanitise.line(profile.handle ?? "(handle not known yet)")),
      `key      ${profile.primary}`,
      `home     ${url}`,
      `profile  ${paths.name}`,
      `seed     ${profile.vault.kind === "file" ? `encrypted file ${paths.seed}` : "OS keychain"}`
    ]
  })
})

/** The accounts on this machine. */
export const profiles = Effect.fn("profiles")(function* () {
  const names = yield* Profile.names
  // One that is damaged hides no other.
  const found = yield* Effect.forEach(names, (name) =>
    Effect.match(Profile.named(name), {
      onSuccess: ({ paths, profile }) => Json.account(paths.name, profile),
      onFailure: ({ code, message }) => ({ profile: name, error: { code, message } })
    })
  )
  yield* result({
    json: () => ({ profiles: found }),
    text: (style) =>
      found.length === 0
        ? "No account on this machine yet."
        : found.map((one) => {
            const name = style.bold(one.profile.padEnd(12))
            return "error" in one
              ? `${name}  ${style.bad(Sanitise.line(one.error.message))}`
              : `${name}  ${Sanitise.line(one.handle ?? "?")}  ${style.dim(one.home)}`
          })
  })
})
