/** Chat accounts on KEZ: the client, what it answers, and its errors. Everything else has a subpath of its own. */
export * from "./client/KezChat.ts"
export * from "./client/model/index.ts"
