/** A client without an account, for stories and component tests: people and messages in memory. Not part of the page. */
import type {
  Account,
  Contact,
  Conversation,
  Event as ChatEvent,
  HistoryPage,
  KezChatClient,
  Message
} from "@kez-chat/sdk/promise"

const keyOf = (byte: string): string => `ed25519:${byte.repeat(32)}`

export const me: Account = {
  handle: "robin@kez.lat",
  primary: keyOf("a1"),
  device: "AAAAAAAAAAAAAAAAAAAAAA",
  server: "kez.lat",
  step: "published"
}

/** A fixed moment for pictures that do not change: a Sunday. */
export const noon = new Date(2026, 10, 29, 13, 58).getTime()

export const person = (handle: string, byte: string, more: Partial<Contact> = {}): Contact => ({
  handle,
  primary: keyOf(byte),
  state: "accepted",
  verified: false,
  addedAt: noon - 86_400_000 * 30,
  ...more
})

export const chris = person("chris@kez.lat", "0b")

let orders = 0

/** A message from `peer`; with a `state` it is an own one. */
export const message = (peer: string, text: string, more: Partial<Message> = {}): Message => {
  orders += 1
  const at = more.arrivedAt ?? noon
  return {
    id: `message${String(orders).padStart(15, "0")}`,
    peer,
    direction: more.state === undefined ? "in" : "out",
    text,
    type: "text",
    body: {},
    createdAt: at,
    arrivedAt: at,
    order: orders,
    ...more
  }
}

interface World {
  readonly account?: Account
  readonly contacts?: ReadonlyArray<Contact>
  readonly messages?: ReadonlyArray<Message>
  readonly unread?: Readonly<Record<string, number>>
  readonly drafts?: Readonly<Record<string, string>>
  readonly connection?: "Online" | "Offline"
  /** Calls that behave otherwise. */
  readonly calls?: Partial<KezChatClient>
}

const failure = (_tag: string, message: string) => Object.assign(new Error(message), { _tag, detail: message })

/** A client of such a world, and `emit`, which changes it as an event says. */
export const fakeClient = (world: World = {}): KezChatClient & { emit(event: ChatEvent): void } => {
  const account = world.account ?? me
  let contacts = world.contacts ?? [chris]
  let messages = world.messages ?? []
  const unread = new Map(Object.entries(world.unread ?? {}))
  const drafts = new Map(Object.entries(world.drafts ?? {}))
  const listeners = new Set<(event: ChatEvent) => void>()

  const emit = (event: ChatEvent): void => {
    if (event._tag === "Message" || event._tag === "Request") {
      messages = [...messages, event.message]
      if (event.message.direction === "in") unread.set(event.message.peer, (unread.get(event.message.peer) ?? 0) + 1)
    }
    if (event._tag === "State") messages = messages.map((held) => (held.id === event.message.id ? event.message : held))
    if (event._tag === "Contact") {
      contacts = contacts.map((held) => (held.primary === event.contact.primary ? event.contact : held))
    }
    for (const listener of listeners) listener(event)
  }

  async function* events({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<ChatEvent> {
    const queue: Array<ChatEvent> = []
    let wake: () => void = () => undefined
    const listener = (event: ChatEvent) => {
      queue.push(event)
      wake()
    }
    listeners.add(listener)
    signal?.addEventListener("abort", () => wake(), { once: true })
    try {
      // oxlint-disable-next-line no-unmodified-loop-condition -- somebody else aborts it
      while (!(signal?.aborted ?? false)) {
        const next = queue.shift()
        if (next === undefined) await new Promise<void>((resolve) => (wake = resolve))
        else yield next
      }
    } finally {
      listeners.delete(listener)
    }
  }

  const peerOf = (who: string): string => {
    if (who === account.handle || who === account.primary) return account.primary
    return contact(who).primary
  }
  const contact = (who: string): Contact => {
    const name = who.includes("@") || who.startsWith("ed25519:") ? who : `${who}@${account.server}`
    const found = contacts.find(({ handle, primary }) => handle === name || primary === name)
    if (found === undefined) throw failure("ContactUnknown", `${who} is not among your contacts: add them first`)
    return found
  }
  const change = (who: string, state: Contact["state"]): Contact => {
    const changed = { ...contact(who), state }
    emit({ _tag: "Contact", contact: changed })
    return changed
  }

  const calls: Partial<KezChatClient> = {
    account: async () => account,
    events,
    connection: async function* () {
      const since = noon - 60_000
      yield world.connection === "Offline"
        ? ({ _tag: "Connecting", since } as const)
        : ({ _tag: "Online", since, url: "wss://kez.lat" } as const)
    },
    contacts: async () => contacts,
    contact: async (who) => contact(who),
    addContact: async (handle) => contact(handle),
    held: async () => [],
    accept: async (who) => change(who, "accepted"),
    block: async (who) => change(who, "blocked"),
    unblock: async (who) => change(who, "accepted"),
    keepKey: async (who) => change(who, "accepted"),
    acceptKey: async (who) => change(who, "accepted"),
    removeContact: async (who) => {
      const removed = contact(who)
      contacts = contacts.filter(({ primary }) => primary !== removed.primary)
      emit({ _tag: "ContactRemoved", contact: removed })
    },
    conversations: async () => {
      const lines = contacts.map((held): Conversation => {
        const last = messages.findLast(({ peer }) => peer === held.primary)
        const draft = drafts.get(held.primary)
        return {
          peer: held.primary,
          contact: held,
          unread: unread.get(held.primary) ?? 0,
          ...(last === undefined ? {} : { last, lastAt: last.arrivedAt }),
          ...(draft === undefined || draft === "" ? {} : { draft })
        }
      })
      const note = messages.findLast(({ peer }) => peer === account.primary)
      if (note !== undefined) lines.push({ peer: account.primary, unread: 0, last: note, lastAt: note.arrivedAt })
      return lines.sort((one, other) => (other.lastAt ?? 0) - (one.lastAt ?? 0))
    },
    history: async (who, { after, around, before, limit = 50 }: HistoryPage = {}) => {
      const all = messages.filter(({ peer }) => peer === peerOf(who))
      if (after !== undefined) return all.filter(({ order }) => order > after).slice(0, limit)
      const end = around ?? before ?? Infinity
      const older = all
        .filter(({ order }) => order < end)
        .slice(-(around === undefined ? limit : Math.floor(limit / 2)))
      return around === undefined
        ? older
        : [...older, ...all.filter(({ order }) => order >= around).slice(0, limit / 2)]
    },
    search: async function* (query, { before = Infinity, limit = Infinity } = {}) {
      const hits = messages.filter(
        ({ order, text }) => order < before && text.toLowerCase().includes(query.toLowerCase())
      )
      yield* hits.toReversed().slice(0, limit)
    },
    draft: async (who) => drafts.get(peerOf(who)) ?? "",
    setDraft: async (who, text) => {
      drafts.set(peerOf(who), text)
      emit({ _tag: "Draft", peer: peerOf(who), text })
    },
    removeMessage: async (id) => {
      const removed = messages.find((held) => held.id === id && held.state === "failed")
      if (removed === undefined) return false
      messages = messages.filter((held) => held !== removed)
      emit({ _tag: "MessageRemoved", message: removed })
      return true
    },
    markRead: async (who) => {
      unread.delete(peerOf(who))
      emit({ _tag: "Read", peer: peerOf(who) })
    },
    send: async (who, text) => {
      const peer = peerOf(who)
      const sent = message(peer, text, { state: "queued", arrivedAt: Date.now() })
      const to = peer === account.primary ? undefined : contact(who)
      if (to !== undefined) emit({ _tag: "Message", message: sent, contact: to })
      return sent
    }
  }
  return { ...calls, ...world.calls, emit } as KezChatClient & { emit(event: ChatEvent): void }
}
