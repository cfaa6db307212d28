/** What the shell gives to the components below it; an embedding page may provide the same. */
import { createContext } from "@lit/context"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import type { WebAccount } from "@kez-chat/sdk/web-page"

/** The account of this browser: signing up, unlocking, logging out. */
export const accountContext = createContext<WebAccount>(Symbol.for("kez-chat/account"))

/** The client of the open account. Components do not know whether it lives in a worker or in their own page. */
export const clientContext = createContext<KezChatClient>(Symbol.for("kez-chat/client"))
