/** The list of conversations, a conversation, requests, search, adding somebody. */
export const conversation = {}
