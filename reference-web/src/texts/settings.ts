/** Settings, export, logging out. */
const size = (bytes: number): string => {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000).toLocaleString("en")} kB`
  const [amount, unit] = bytes < 1_000_000_000 ? [bytes / 1_000_000, "MB"] : [bytes / 1_000_000_000, "GB"]
  return `${amount.toLocaleString("en", { maximumFractionDigits: amount < 10 ? 1 : 0 })} ${unit}`
}

export const settings = {
  title: "Settings",
  parts: {
    account: { title: "Your account", about: "Name, key, code to share" },
    proofs: { title: "You elsewhere", about: "Domains, GitHub and other names of yours" },
    privacy: { title: "Privacy", about: "Read receipts, who may write" },
    notifications: { title: "Notifications", about: "When somebody writes" },
    appearance: { title: "Appearance and typing", about: "Light or dark, what Enter does" },
    storage: { title: "Storage", about: "In this browser and at the server" },
    words: { title: "Words and passphrase", about: "What opens your account, passkeys" },
    rotate: { title: "New key", about: "New words, if somebody may have seen yours" },
    export: { title: "Export", about: "Everything as a file" },
    keys: { title: "Keyboard", about: "Shortcuts" },
    about: { title: "About", about: "Version, server, protection" },
    danger: { title: "Log out or delete", about: "Leave this browser, or for good" }
  },
  lockNow: "Lock now",

  key: "Key",
  keyHelp: "Your public key, no secret: the programs of others know you by it, and safety numbers are made from it.",
  mark: "Your mark. A help for the eye, not a proof.",
  share: "Share",
  showProfile: "What your key has signed",

  proofsHelp:
    "Link a domain or an account elsewhere to your key: you publish a signed proof there, and anybody can check it without asking you or this server.",
  proofsNone: "Nothing is linked yet.",
  proofAnother: "Link another name",
  proofWhat: "What is it?",
  proofSystems: {
    dns: { title: "A domain", name: "Domain", hint: "Such as example.org. You need access to its DNS records." },
    bluesky: {
      title: "A Bluesky account",
      name: "Handle",
      hint: "Such as alice.bsky.social. You post the proof once."
    },
    nostr: { title: "A nostr key", name: "Public key", hint: "It begins with npub1. You publish the proof in a note." },
    github: { title: "A GitHub account", name: "User name", hint: "Such as octocat. You publish the proof in a gist." },
    web: { title: "A web site", name: "Address", hint: "Such as https://example.org. You put a file there." },
    ap: {
      title: "A fediverse account",
      name: "Address",
      hint: "Such as alice@mastodon.example. You post the proof once."
    }
  },
  proofNext: "Next",
  proofOf: (name: string) => `Linking ${name}`,
  proofWhere: "It is looked for at",
  proofLook: "Look for it now",
  proofLooking: "Looking",
  proofLooksAgain: (time: string) => `Looking again at ${time}.`,
  proofVisible: "Found, and it holds. It is being recorded in your chain.",
  proofRecorded: (name: string) => `${name} is linked to your key. Others see it in your profile.`,
  proofGiveUp: "Give up",
  proofNeedsCli:
    "This page cannot look there, since it asks no other servers. Paste this into a terminal where the CLI is set up with your account:",
  proofTakeBackTitle: (name: string) => `Take back ${name}?`,
  proofTakeBackText:
    "Your chain will say that it is no longer yours. Nobody’s messages change. Remove the proof there too, if you like.",

  readReceipts: "Tell others when I read their messages",
  readReceiptsHelp: "Others choose for themselves whether you see that they read yours.",
  inbox: "Who may write to me",
  inboxEveryone: "Everyone",
  inboxEveryoneHelp: "Messages of strangers wait as requests.",
  inboxProven: "Everyone who proves who they are",
  inboxProvenHelp:
    "Messages of strangers whose domain or account elsewhere was checked wait as requests. Others are held back, unseen.",
  inboxContacts: "Only my contacts",
  inboxContactsHelp: "Messages of strangers are dropped; nobody learns that. Requests that you see already stay.",
  provenSystems: "Which proofs count",
  provenSystemsHelp: "None chosen: any.",
  provenDomains: "Or only these domains",
  provenDomainsHelp: "Separated by spaces. Names below them count too.",
  provenDomainsBad: (domain: string) => `${domain} is not a domain.`,
  provenPage:
    "A proof that this page cannot check does not count here. The CLI checks all of them. Checking asks services that the stranger names.",
  provenHeld: "See who is held back",
  introductions: "Let in whom my contacts introduce",
  introductionsHelp: "An introduction counts for 7 days.",

  notify: "Notify me when somebody writes",
  notifyHelp: "While this page is open in a tab, or installed.",
  notifyText: "Show what was written",
  notifyTextHelp: "Otherwise only who wrote. Requests never show text.",
  notifyBlocked: "The browser blocks notifications from this page. Allow them in the browser’s settings for this site.",
  notifyNone: "This browser has no notifications for pages.",

  theme: "Theme",
  themeSystem: "Like the system",
  themeLight: "Light",
  themeDark: "Dark",
  enter: "What Enter does in a message",
  enterSend: "Enter sends, Shift Enter begins a new line",
  enterLine: "Enter begins a new line, Ctrl Enter sends",
  enterTouch: "On touch screens Enter always begins a new line.",

  here: "In this browser",
  used: (usage: number, quota: number | undefined) =>
    quota === undefined ? size(usage) : `${size(usage)} of ${size(quota)}`,
  messages: (count: number) => `${count.toLocaleString("en")} ${count === 1 ? "message" : "messages"}`,
  persisted: "The browser keeps it for good.",
  notPersisted: "The browser may delete it when space is short.",
  atHome: (server: string) => `At ${server}`,
  atHomeHelp: "Mail stays there for your new and restored devices, 30 days unless you trim it.",
  mail: "Mail from others",
  strangers: "of that, from strangers",
  sent: "Copies of what you sent",
  boxUsed: (used: number, limit: number) => `${size(used)} of ${size(limit)}`,
  trim: "Remove from the server what this device has",
  trimHelp: "A device that has not fetched it will not get it, and restoring from the words does not bring it back.",
  trimmed: "Removed. What is left is what this device does not have yet.",
  autoTrim: "Once a day, remove from the server what all my devices have",
  autoTrimHelp: "Restoring from the words then brings back only what came since.",

  wordsShowTitle: "Your 24 words",
  wordsShowHelp: "To write them down again. They never change.",
  wordsShow: "Show them",
  wordsPassphrase: "First the passphrase of this browser.",
  wordsCheck: "Check my paper",
  wordsChecked: (date: string) => `Checked on ${date}.`,
  wordsNeverChecked: "Not checked in this browser yet.",
  reminder: "Can you still find your 24 words? Check them in a minute.",
  reminderCheck: "Check",
  passphraseTitle: "Passphrase",
  passphraseHelp: "It opens this browser. Other browsers have their own.",
  passphraseChange: "Change the passphrase",
  passphraseCurrent: "Current passphrase",
  passphraseNew: "New passphrase",
  passphraseChanged: "The passphrase is changed.",
  passphraseWrong: "This is not the passphrase.",
  passkeysTitle: "Passkeys",
  passkeysHelp: "Fingerprint, face or device PIN instead of the passphrase, which stays valid.",
  passkeysNone: "None in this browser.",
  passkeyNumber: (number: number) => `Passkey ${number}`,
  passkeyRemove: "Remove",
  passkeyUnavailable: "This browser or device has no passkeys that can unlock this page.",
  askOnReload: "Ask again when I reload",
  askOnReloadHelp: "Otherwise a reload of this tab opens without the passphrase.",

  rotateWhen:
    "Give your account a new key, with new words, if somebody may have seen your words or got hold of a device that had them.",
  rotateMeans: [
    "Your name, your contacts and your messages stay. Your old words no longer open the account.",
    "Your contacts are shown that your old key handed over to the new one. They confirm it before they write to you again.",
    "Your other devices stop sending until you enter the new words there.",
    "Files that you shared have to be shared again, and names elsewhere linked again."
  ],
  rotateWarning:
    "Keep the old words as well: they still open mail that was sent to the old key. Whoever has them can do this before you, and nothing undoes it.",
  rotateBegin: "Make new words",
  rotatePassphrase: "Change to the new key",
  rotateSteps: (server: string) => ({
    saved: "The new key is stored in this browser",
    published: "The new key has a chain of its own",
    rotated: "Your old key signed that it hands over",
    transferred: `${server} gives your name to the new key`,
    finished: "This browser uses the new key"
  }),
  rotateDone: "done",
  rotateOpen: "not yet",
  rotateFinished: "Your account has its new key. Enter the new words on your other devices.",
  rotateResume: "Go on",
  rotateUndone: "Nothing is given up yet: your old key still works.",
  rotateNoWayBack: "Your old key has handed over, so there is no way back: go on until all is done.",
  rotateMoved: "Your account has a new key. This browser still has the old one and can only read.",
  rotateMovedHelp: "If that was you, on another device, enter the new words here.",
  rotateMovedEnter: "Enter the new words",
  rotateMovedElse:
    "If it was not you, somebody has your words. Tell your contacts in another way, and make a new account.",

  exportTitle: "Everything as a file",
  export: "Your conversations, contacts, settings and your chain as JSON, one item per line. The key is not in it.",
  exportWarning: "The file is readable by anybody who gets it.",
  exportSave: "Save the file",
  exportBusy: (count: number) => `${count.toLocaleString("en")} lines`,
  exportDone: (count: number) => `Saved, ${count.toLocaleString("en")} lines.`,

  keysHelp: "They work everywhere except in dialogs.",
  keyMap: [
    [["/", "Ctrl K"], "Search"],
    [["Alt ↑", "Alt ↓"], "The conversation above or below"],
    [["Esc"], "One level up, or close"],
    [["Enter"], "Send"],
    [["Shift Enter"], "A new line"],
    [["?"], "This list"]
  ] as ReadonlyArray<readonly [ReadonlyArray<string>, string]>,
  or: "or",

  aboutVersion: "Version of this page",
  aboutServer: "Server",
  aboutProtection: "What is protected, and what is not",
  aboutLicense: "Apache-2.0 or MIT.",

  logOutTitle: "Log out of this browser",
  logOut: (messages: number) =>
    `This removes the key and ${messages.toLocaleString("en")} ${messages === 1 ? "message" : "messages"} from this browser. Without your 24 words you cannot come back.`,
  logOutAction: "Log out",
  deleteTitle: "Delete the account",
  delete: (name: string) => `The name ${name} can never be used again, by anybody.`,
  deleteMore:
    "Your mail at the server and everything in this browser is removed. What others received stays with them.",
  deleteAction: "Delete account"
}
