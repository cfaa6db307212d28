/** Creates an account and keeps notes in it, in every tab of this browser. */
import { openAccount } from "@kez-chat/sdk/web-page"

declare const BUILD: string
const account = await openAccount({
  build: BUILD,
  shared: () =>
    new SharedWorker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      extendedLifetime: true
    } as WorkerOptions),
  dedicated: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
})

const find = <Tag extends keyof HTMLElementTagNameMap>(tag: Tag) => document.querySelector<Tag>(tag)!
const show = (text: string) => (find("p").textContent = text)
const createAccount = async (handle: string) => {
  const words = await account.newWords()
  const passphrase = prompt(`Write down your words: ${words}. Now a passphrase for this browser:`) ?? ""
  for await (const step of account.create({ handle, words, passphrase })) document.title = step
}
const submit = async (text: string) => {
  const { state } = account
  if (state._tag === "empty") await createAccount(text)
  else if (state._tag === "locked") await account.unlock({ passphrase: text })
  else if (state._tag === "open") await account.client.send(state.handle, text)
}
find("form").addEventListener("submit", (event) => {
  event.preventDefault()
  submit(find("input").value).catch(({ message }: Error) => show(message))
})
const showNotes = async (handle: string) => {
  const list = async () =>
    find("ul").replaceChildren(
      ...(await account.client.history(handle)).map(({ text }) =>
        Object.assign(document.createElement("li"), { textContent: text })
      )
    )
  const events = account.client.events()
  await list()
  for await (const event of events) if (event._tag === "Message") await list()
}

for await (const state of account.states()) {
  show(state._tag)
  if (state._tag === "open") void showNotes(state.handle)
}
