import { createContext } from "@lit/context"
import { common } from "./common.ts"
import { conversation } from "./conversation.ts"
import { people } from "./people.ts"
import { settings } from "./settings.ts"
import { signUp } from "./signUp.ts"

/** Every sentence that the page shows, in English. Those with values in them are functions. */
export const en = { common, signUp, conversation, people, settings }

export type Texts = typeof en

/** Some sentences in other words, as an operator or an embedding page gives them. */
export type OwnTexts = { readonly [Area in keyof Texts]?: Partial<Texts[Area]> }

/** English with the given sentences in place of its own. */
export const withOwn = (own: OwnTexts): Texts => ({
  common: { ...common, ...own.common },
  signUp: { ...signUp, ...own.signUp },
  conversation: { ...conversation, ...own.conversation },
  people: { ...people, ...own.people },
  settings: { ...settings, ...own.settings }
})

/** Components consume it and use English where nobody provides other texts. */
export const textsContext = createContext<Texts>(Symbol.for("kez-chat/texts"))
