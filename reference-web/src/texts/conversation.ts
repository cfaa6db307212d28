/** The list of conversations, a conversation, requests, search, adding somebody. */

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`

export const conversation = {
  // The list
  conversations: "Conversations",
  you: "You",
  draftPrefix: "Draft:",
  notesToSelf: "Notes to self",
  newConversation: "New conversation",
  settings: "Settings",
  keyChecked: "Key checked",
  noConversations: "Nobody here yet.",
  noConversationsHint: (own: string) => `Add somebody by their handle, or give them yours: ${own}`,
  requestsRow: (count: number) =>
    count === 1 ? "1 person wants to write to you" : `${count.toLocaleString("en")} people want to write to you`,
  unread: (count: number) => plural(count, "unread message", "unread messages"),
  keyChangedMark: "Key changed",
  blockedMark: "Blocked",
  waitingMark: "Waiting to be sent",
  failedMark: "Not sent",
  noMessages: "No messages yet",
  fileLine: (name: string) => `File: ${name}`,

  // Messages
  messages: "Messages",
  messagesWith: (name: string) => `Messages with ${name}`,
  earlier: "Earlier messages",
  toNewest: "To the newest messages",
  newMessages: (count: number) => plural(count, "new message", "new messages"),
  unreadDivider: "New",
  said: (name: string, text: string) => `${name}: ${text}`,
  empty: (name: string) => `Say hello. ${name} gets it when their device is next online.`,
  emptyNotes: "Notes to yourself. They are on all your devices.",
  firstContact: (server: string, name: string) =>
    `${server} says that this is ${name}’s key. To be sure that it really is ${name}, compare safety numbers once.`,
  compareNumbers: "Compare safety numbers",
  stateWaiting: "Waiting",
  stateSent: "Sent",
  stateDelivered: "Delivered",
  stateRead: "Read",
  stateFailed: "Not sent",
  waiting: "Kept safe here. It goes out when the connection is back.",
  waitingFull: (name: string) => `${name}’s inbox is full. We keep trying.`,
  waitingSlow: (time: string | undefined) =>
    time === undefined
      ? "The server asks for a pause. We keep trying."
      : `The server asks for a pause until ${time}. We keep trying.`,
  stored: (server: string, name: string) => `Stored at ${server} until ${name}’s device fetches it.`,
  storedNotes: "Stored for your other devices.",
  delivered: (name: string) => `${name}’s device confirmed it with a signature.`,
  read: (name: string) => `${name} opened it.`,
  failedBecause: (reason: string) => `It was not sent: ${reason}.`,
  failedUnexplained: "It was not sent.",
  writtenAt: (moment: string) => `Written on ${moment}.`,
  details: "Details of this message",
  report: "Report",
  sendAgain: "Send again",
  removeFailed: "Remove",
  gap: (count: number) =>
    plural(count, "earlier message from this device is not here", "earlier messages from this device are not here"),
  gapMeaning:
    "The sender’s device numbers what it sends. Messages are missing here if the server removed them before this device fetched them.",
  suspicious: (name: string, date: string) => `${name}’s clock says ${date}`,
  equivocation: (name: string) => `${name} signed two different messages with the same number.`,
  equivocationMeaning: (name: string) =>
    `You see the first one. Other people or devices may have the other one. Ask ${name} about it in person.`,
  fork: (name: string) => `Two programs write as the same device of ${name}.`,
  forkMeaning: (name: string) =>
    `This happens when an account’s data is copied to a second computer. If ${name} did not do that, somebody else may have the key: compare safety numbers and ask.`,
  whatDoesThisMean: "What does this mean?",
  newerProgram: "Sent by a newer program",
  cliFile: "Download requires CLI",
  cliFileSent: "You offer this file from the CLI.",

  // The composer
  composerLabel: (name: string) => `Message to ${name}`,
  composerNotes: "A note to yourself",
  send: "Send",
  bytesLeft: (bytes: number) => `${bytes.toLocaleString("en")} bytes left`,
  tooLong: (bytes: number) =>
    `${bytes.toLocaleString("en")} bytes too long. Send it in parts, or as a file with the CLI.`,
  notSent: (detail: string) => `Not sent: ${detail}. Your text is still here.`,
  notSaved: (detail: string) => `Not saved as a draft: ${detail}. Your text stays here while this page is open.`,
  filesNeedCli: "Files need the CLI",
  filesNeedCliHint: "This page does not send files yet. In a terminal:",
  shareCommand: (who: string, file: string) => `kez-chat share @${who} ${file}`,

  // What stands in the composer's place
  requestText: (name: string) =>
    `${name} is not in your contacts. ${name} will not learn that you read this unless you accept.`,
  accept: "Accept",
  block: "Block",
  unblock: "Unblock",
  deleteRequest: "Delete",
  deleteRequestQuestion: (name: string) => `Delete the request of ${name} and what they wrote?`,
  keep: "Keep",
  blockedText: (name: string) => `You blocked ${name}. Nothing that they send is shown, and they are not told.`,
  changedTitle: (name: string) => `${name}’s key is not the one you knew.`,
  changedUsually: (name: string, server: string) =>
    `Usually: ${name} lost the words and made a new account, or ${server} changed hands. Seldom: somebody pretends to be ${name}. Sending is off until you decide.`,
  changedUnexplained: (name: string) => `Nothing signed by ${name} explains this.`,
  movedTitle: (name: string) => `${name} moved to a new key.`,
  movedText: (name: string) => `${name}’s old key signed this. Sending is off until you decide.`,
  troubleTitle: (name: string) => `Something is wrong with ${name}’s key.`,
  compareNew: "Compare the new number",
  toldMe: (name: string) => `${name} told me, continue`,
  useNewKey: "Use the new key",
  keepOld: "Keep the old key",
  keptKey: (name: string) => `You keep the key you knew, although another one is offered for ${name}.`,
  unreachableText: (name: string) =>
    `${name} has no inbox at the moment, so nothing can be sent. Sending is tried again whenever you write.`,
  federation: (name: string, server: string) =>
    `${name} is at ${server}. Your server does not exchange messages with other servers yet.`,
  conversationUnknown: (who: string) => `${who} is not in your contacts.`,
  addThem: "Add them",

  // Adding somebody
  addTitle: "Write to somebody",
  addLabel: "Handle",
  addHint: (home: string) => `For example chris, or chris@${home}.`,
  addSearch: "Look up",
  looking: "Looking them up",
  found: "Found",
  keyStarts: "Key",
  markMeaning: "The pattern is made from the key. A help for the eye, not a proof.",
  add: (name: string) => `Add ${name}`,
  writeTo: (name: string) => `Write to ${name}`,
  addOtherHome: (handle: string, server: string) =>
    `${handle} is at ${server}, and a page can ask its own server only. The command line can look them up: kez-chat add ${handle}`,
  addInvalid: "A handle has 3 to 32 lowercase letters, digits, - and _, and may end with @ and a server.",
  addNotFound: (handle: string) => `Nobody is called ${handle}. Check the spelling.`,
  addDeleted: (handle: string) => `${handle} was deleted. Names are never used again.`,
  addUnreachable: (server: string) => `${server} cannot be reached. Check the name, or try again later.`,
  addLimited: "Too many look-ups in a short time. Try again in a minute.",
  addNoInbox: (handle: string) => `${handle} is registered but cannot receive messages yet. Try again later.`,
  addSelf: "That is you. You can write notes to yourself.",
  openNotes: "Open my notes",

  // Requests
  requestsTitle: "Requests",
  requestsHint: "These people are not in your contacts. They do not learn that you read this unless you accept.",
  noRequests: "Nobody is waiting for an answer.",
  admittedByProof: (name: string, day: string) => `Shown because ${name} is theirs, checked ${day}.`,
  admittedByIntroduction: (name: string, day: string) => `Introduced by ${name} ${day}.`,
  heldTitle: "Held back",
  heldHint:
    "Your privacy settings hold their messages back, unseen, until they prove who they are. They do not learn that.",
  heldMessages: (messages: number, dropped: number) =>
    `${messages === 1 ? "1 message" : `${messages.toLocaleString("en")} messages`}${dropped === 0 ? "" : `, ${dropped.toLocaleString("en")} more were dropped`}:`,
  heldLetIn: "Let in",
  readRequest: (name: string) => `Read what ${name} wrote`,

  // Search
  searchTitle: "Search",
  searchLabel: "Search messages",
  searchHint: "Messages are searched on this device. What you search for is not sent anywhere.",
  searching: "Searching",
  noHits: (query: string) => `Nothing found for “${query}”.`,
  hits: (count: number) => plural(count, "message found", "messages found"),
  moreHits: "Show more",
  searchHere: "Search this conversation",
  searchOnly: (name: string) => `Only with ${name}`,
  searchOnlyNotes: "Only in your notes",
  searchAll: "Search all conversations",
  peopleFound: "People",
  fromYou: (name: string) => `You to ${name}`,

  // Notifications
  notifyWrote: (name: string) => `${name} wrote`,
  notifyRequest: "Somebody wants to write to you",
  title: (heading: string, unread: number) => (unread === 0 ? heading : `(${unread.toLocaleString("en")}) ${heading}`)
}
