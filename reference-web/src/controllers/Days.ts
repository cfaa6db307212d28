/** A day as the page writes it, such as "29 November 2026". */
export const dayOf = (millis: number): string =>
  new Date(millis).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" })
