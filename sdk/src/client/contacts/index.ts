/** Contacts: who they are, whether their keys are trusted, and what the user decides about them. */
import * as Layer from "effect/Layer"
import * as BlockList from "./BlockList.ts"
import * as ContactBook from "./ContactBook.ts"
import * as ContactRefresh from "./ContactRefresh.ts"
import * as Contacts from "./Contacts.ts"
import * as IdentityLookup from "./IdentityLookup.ts"

export { BlockList } from "./BlockList.ts"
export { ContactBook, self } from "./ContactBook.ts"
export { ContactRefresh } from "./ContactRefresh.ts"
export { Contacts } from "./Contacts.ts"
export { IdentityLookup } from "./IdentityLookup.ts"
export * as Trust from "./Trust.ts"

export const layer = Layer.mergeAll(Contacts.layer, BlockList.layer).pipe(
  Layer.provideMerge(ContactRefresh.layer),
  Layer.provideMerge(Layer.mergeAll(ContactBook.layer, IdentityLookup.layer))
)
