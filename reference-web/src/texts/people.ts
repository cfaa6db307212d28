/** Profile, safety number, chain, files, and what is protected. */

const count = (number: number, one: string, many: string): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`

export const people = {
  // Profile
  conversation: "Conversation",
  unknown: (who: string) => `${who} is not in your contacts.`,
  add: "Add somebody",
  you: "This is you.",
  inContacts: (date: string) => `In your contacts since ${date}`,
  requested: (name: string) => `${name} wants to write to you.`,
  blocked: (name: string) => `You blocked ${name}.`,
  changed: "Sending is off until you decide about the key.",
  key: "Key",
  markMeaning: "The pattern is made from the key. A help for the eye, not a proof.",
  shareTitle: "Give others your handle",
  shareLine: (handle: string) => `Write to me: ${handle}`,
  numberTitle: "Safety number",
  numberNotChecked: "not checked",
  numberNotCheckedHint: (server: string, name: string) =>
    `${server} says that this is ${name}’s key. To be sure that it really is ${name}, compare safety numbers once.`,
  numberChecked: "checked",
  numberCheckedOn: (date: string) => `checked on ${date}`,
  numberCheckedHint: "We will warn you if the key ever changes.",
  numberChanged: "changed",
  numberChangedHint: (name: string) => `${name}’s key is not the one you knew.`,
  numberTrouble: (name: string) => `Something is wrong with ${name}’s key.`,
  compare: "Compare safety numbers",
  see: "See the safety number",
  decide: "Look at it and decide",
  endpointsTitle: "Where to reach them",
  endpointsTitleOwn: "Where others reach you",
  endpointMail: (server: string) => `Gets mail at ${server}`,
  endpointFiles: "Shares files from a device",
  endpointsNone: (name: string) => `${name} names no place for mail, so nothing can be sent.`,
  files: (name: string) => `Files that ${name} shares with you`,
  filesOwn: "Files that you share",
  accept: "Accept",
  block: "Block",
  blockHint: (name: string, server: string) =>
    `Nothing that ${name} sends is shown, and ${server} stores none of it. ${name} is not told.`,
  unblock: "Unblock",
  remove: "Remove",
  removeTitle: (name: string) => `Remove ${name}?`,
  removeText: (name: string) =>
    `${name} is no longer in your contacts. If ${name} writes again, it comes as a request. Whether you checked the safety number is forgotten.`,
  removeMessages: "Also delete the messages in this browser",
  removeMessagesHint: "They cannot be brought back.",

  // Reports
  report: "Report",
  reportTitle: (name: string) => `Report ${name}`,
  reportTo: (server: string, name: string) =>
    `The operator of ${server} learns who you are, what you write here, and reads the messages that you choose. They can check that ${name} signed them. Nothing else is disclosed.`,
  reportReason: "What is wrong?",
  reportReasons: [
    { value: "spam", label: "Spam or advertising" },
    { value: "abuse", label: "Threats or harassment" },
    { value: "illegal", label: "Illegal content" },
    { value: "impersonation", label: "Pretends to be somebody else" },
    { value: "other", label: "Something else" }
  ],
  reportMessages: "Messages that the operator may read",
  reportNoMessages: (name: string) => `No message of ${name} is in this browser, so none can be shown.`,
  reportNote: "Anything that the operator should know (optional)",
  reportBlock: (name: string) => `Also block ${name}`,
  reportSend: "Send the report",
  reportSent: "The operator has your report.",
  reportNext: (server: string, name: string) =>
    `They decide what to do, such as suspending ${name} at ${server}. This page does not tell ${name}, and you may not hear back.`,
  reportUnproven: (number: number) =>
    `${count(number, "message is", "messages are")} not in it: this browser cannot prove that they were written as they are shown.`,
  reportNotBlocked: (name: string, detail: string) => `${name} is not blocked: ${detail}`,

  // Claims
  claimsTitle: (name: string) => `Other names that ${name} claims`,
  claimsTitleOwn: "Other names that you claim",
  claimsNone: "Nothing.",
  claimed: "Claimed, not checked here",
  claimedName: (name: string, system: string) => `${name} (${system})`,
  takenBack: "Taken back",
  system: (system: string): string | undefined =>
    ({
      dns: "Domain",
      web: "Website",
      github: "GitHub",
      nostr: "Nostr",
      bluesky: "Bluesky",
      ap: "Fediverse",
      mastodon: "Fediverse"
    })[system],

  // Chain
  chainTitle: (name: string) => `What ${name}’s key has signed`,
  chainTitleOwn: "What your key has signed",
  chainHint: (server: string) =>
    `Each line is locked to the one before. Nobody, not even ${server}, can change or drop one unnoticed.`,
  chainNewestFirst: "Show newest first",
  chainOldestFirst: "Show oldest first",
  chainAll: "Show the whole chain",
  chainFew: "Show the newest only",
  chainDetails: "Details",
  chainHead: (links: number, changed: string) => `${count(links, "link", "links")}, last changed ${changed}.`,
  chainSince: (date: string) => `You have seen this chain since ${date}.`,
  chainEmpty: (name: string) => `${name}’s key has signed nothing yet.`,
  chainEmptyOwn: "Your key has signed nothing yet.",
  chainUnavailable: "The chain cannot be shown now: its server does not answer. What you know of it is kept.",
  chainKnownHead: "Newest link that you have seen",
  chainShownHead: "Newest link that is shown now",
  chainOtherLink: "What is shown in its place",
  chainForked: "The chain is broken here: this link is not the one you have seen before.",
  chainRolledBack: "The chain is broken here: you have seen more of it before.",
  chainTrouble: "The chain does not agree with what you have seen of it.",
  chainNothing: "Nothing",
  eventNumber: (seq: number) => `Link ${seq}`,
  eventHash: "Hash",
  eventHashUnknown: "Not known",
  eventRaw: "As signed",
  mailAdded: (server: string) => `Gets mail at ${server}`,
  mailRemoved: (server: string) => `No longer gets mail at ${server}`,
  filesAdded: "Shares files from a device",
  filesRemoved: "No longer shares files from a device",
  claimAdded: (subject: string) => `Says: ${subject} is mine`,
  claimRevoked: (subject: string) => `Takes back: ${subject} is mine`,
  sharedFiles: (times: number, last: string) =>
    times === 1 ? "Changed the shared files" : `Changed the shared files ${times} times, last ${last}`,
  deviceAdded: "Added a device",
  rotated: "Handed over to a new key",
  unknownEvent: "Something this version does not know",

  // Safety number
  safetyWith: (name: string) => `Safety number with ${name}`,
  safetyHow: (name: string) =>
    `Call ${name} or sit together. Read the number aloud, line by line, or scan each other’s code.`,
  safetyWhy: "If both of you see the same number, nobody sits between you.",
  safetyNumberIs: "The number",
  safetyCode: (name: string) => `Let ${name} scan this`,
  safetyCodeLabel: "The safety number as a code",
  scan: (name: string) => `Scan ${name}’s code`,
  scanStop: "Stop scanning",
  scanHint: (name: string) => `Hold the camera over the code on ${name}’s screen.`,
  scanAsking: "The browser asks whether this page may use the camera.",
  scanRefused: "The camera is not allowed for this page. Allow it in the browser’s settings, or read the number aloud.",
  scanMissing: "No camera can be used here. Read the number aloud instead.",
  scanOther: (name: string) =>
    `This code is not a safety number. Ask ${name} to open the safety number with you, and scan that.`,
  safetyNotAsked: (server: string, date: string) =>
    `${server} could not be asked; this is the key known since ${date}.`,
  theyMatch: "They match",
  theyDiffer: "They do not match",
  checkedOn: (date: string) => `Checked on ${date}. We will warn you if the key ever changes.`,
  differTitle: "These do not match. Do not send anything private.",
  differText:
    "Either one of you looks at another person’s number, or somebody sits between you. Compare again on a call; if it stays different, do not use this conversation.",
  compareAgain: "Compare again",
  blockThem: (name: string) => `Block ${name}`,
  checkedBefore: "You compared this number and it matched. We will warn you if the key ever changes.",
  uncheck: "Mark as not checked",
  acceptFirst: (name: string) => `${name} is not in your contacts yet. Accept the request first, then compare.`,
  unblockFirst: (name: string) => `You blocked ${name}. Unblock first, then compare.`,
  noCheckNow: "This number can be marked as checked once you have decided to keep the old key.",

  // Key changed
  keyChangedTitle: (name: string) => `${name}’s key is not the one you knew.`,
  keyChangedText: (name: string, server: string) =>
    `Usually: ${name} lost the words and made a new account, or ${server} changed hands. Seldom: somebody pretends to be ${name}. Sending is off until you decide.`,
  keyUnexplained: (name: string) => `Nothing signed by ${name} explains this.`,
  keyMovedTitle: (name: string) => `${name} moved to a new key.`,
  keyMovedText: (name: string) => `${name}’s old key signed this. Sending is off until you decide.`,
  keyGoneTitle: (name: string, server: string) => `${server} names no key for ${name} any more.`,
  keyGoneText: (name: string) =>
    `Usually: ${name} deleted the account. The key you knew is kept. Sending is off until you decide.`,
  keyTroubleTitle: (name: string) => `${name}’s chain does not agree with what you have seen.`,
  keyTroubleText: (name: string) =>
    `Usually: a server restored an old copy, and it ends by itself. Seldom: somebody shows you another history, or has ${name}’s key. Sending is off until you decide.`,
  keyForeign: "The new key is not one of a chat account. It cannot be accepted.",
  keyKept: (name: string) => `You keep the key you knew, although another one is offered for ${name}.`,
  keyKeptPlain: (name: string) => `You keep ${name}’s key in spite of this warning.`,
  oldKey: "The key you knew",
  newKeyMoved: (name: string) => `The new key, signed by ${name}’s old one`,
  newKeyOffered: (server: string) => `The new key, as ${server} names it`,
  compareNew: "Compare the new number",
  toldMe: (name: string) => `${name} told me, continue`,
  useNew: "Use the new key",
  keepOld: "Keep the old key",
  whatExactly: "What was found exactly",
  compareNewHow: (name: string) =>
    `Compare the number of the new key with ${name}. If it matches, ${name} really has the new key.`,

  // Files
  filesTitle: "Files that you share",
  filesFrom: (name: string) => `Files that ${name} shares with you`,
  filesLoading: "Asking for the list",
  filesNone: (name: string) => `${name} shares nothing with you.`,
  filesNoneOwn: "You share nothing yet. Files are shared with the CLI.",
  filesStale: (when: string, server: string) => `Last seen ${when}, ${server} cannot be asked.`,
  filesFailed: (detail: string) => `The list cannot be shown: ${detail}`,
  filesNeedCli: "Download requires CLI",
  filesWhen: (name: string) => `A file comes from ${name}’s device. It downloads when ${name} is back online.`,
  filesGetCli: "Paste the command into a terminal where the CLI is set up with your account.",
  filesOlder: (number: number) => `Show ${count(number, "older version", "older versions")}`,
  filesNewestOnly: "Newest versions only",
  filesOlderMark: "Older version",
  filesPublic: "Public",
  filesCount: (number: number, size: string) => `${count(number, "file", "files")}, ${size}`,
  filesPart: (number: number) => `Show ${number.toLocaleString("en")} more`,

  // What is protected
  aboutTitle: "What is protected, and what is not",
  protectedTitle: "Protected",
  protected: (server: string): ReadonlyArray<string> => [
    "Only you and the other person can read your messages and files.",
    "Nobody can write in your name.",
    `${server} cannot swap a contact’s key without you being warned.`,
    "While this page is locked, the text that it keeps on this device is sealed."
  ],
  unprotectedTitle: "Not protected",
  unprotected: (server: string): ReadonlyArray<string> => [
    `${server} sees when you connect, how much you send and to which inbox.`,
    "If somebody gets your words, they can read old messages too. There is no forward secrecy.",
    "The people you write to can prove to others what you wrote.",
    `This page comes from ${server} each time you load it. A server that turns bad could send a bad page. The CLI does not have that weakness.`,
    "On this device, anybody who can open your files can see with whom you write and how often.",
    `${server} keeps messages for 30 days. After that only your devices have them.`,
    `${server} knows whom you block.`
  ],
  aboutExport: "To keep your messages elsewhere, export them.",
  aboutExportLink: "Export my data"
}
