/** What a home says of who may sign up, and of its operator (spec/registration.md, server description). */
export interface HomeDescription {
  readonly registration: "open" | "invite" | "closed"
  readonly operator: Operator
}

/** URLs, `mailto:` or `https:`. */
export type Operator = Partial<Record<"contact" | "terms" | "privacy", string>>

/** Undefined where the home does not answer; `open` where it says nothing, since it decides anyway. */
export const homeDescription = async (home: string): Promise<HomeDescription | undefined> => {
  const answer = await fetch(new URL("/.well-known/kez-chat", home), { cache: "no-store" }).catch(() => undefined)
  if (answer === undefined) return undefined
  const { operator = {}, registration } = await answer.json().catch(() => ({}))
  const names = ["contact", "terms", "privacy"].filter((name) => /^(?:https|mailto):/.test(operator?.[name]))
  return {
    registration: registration === "invite" || registration === "closed" ? registration : "open",
    operator: Object.fromEntries(names.map((name) => [name, String(operator[name])]))
  }
}
