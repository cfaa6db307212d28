/** Conversations as their reader sees them: their list, history, search, drafts, and how far they are read. */
export { checkHistory } from "./CheckHistory.ts"
export { conversations } from "./Conversations.ts"
export { draft, setDraft } from "./Drafts.ts"
export { evidence } from "./Evidence.ts"
export { history } from "./History.ts"
export { markRead } from "./MarkRead.ts"
export { removeMessage } from "./RemoveMessage.ts"
export { search } from "./Search.ts"
