/** Conversations as their reader sees them. */
export { history } from "./History.ts"
export { markRead } from "./MarkRead.ts"
