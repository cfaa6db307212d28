/** What examples/embed.html does, in TypeScript with the types of embed.d.ts. */
// oxlint-disable-next-line import/no-absolute-path -- the home serves it there
import { openAccount, parseRoute, provide, withOwn } from "/embed.js"

const list = document.querySelector("kez-conversation-list")
const conversation = document.querySelector("kez-conversation")
if (list === null || conversation === null) throw new Error("the page lacks its elements")

const account = await openAccount()
for await (const { _tag } of account.states()) if (_tag === "open") break
const { client } = account
provide(document.body, { client, texts: withOwn({ conversation: { notesToSelf: "My notes" } }) })

const { handle, server } = await client.account()
Object.assign(list, { own: handle, home: server })
conversation.addEventListener("kez-compare", ({ detail }) => location.assign(`/#/p/${detail.handle}`))
conversation.addEventListener("kez-gone", () => location.assign("#/"))

const follow = (): void => {
  const route = parseRoute(location.hash)
  conversation.who = route.screen === "conversation" ? route.who : handle
  list.selected = conversation.who
}
addEventListener("hashchange", follow)
follow()

const show = async (): Promise<void> => {
  list.conversations = await client.conversations()
}
await show()
for await (const _ of client.events()) await show()
