/** Words of several screens. */
export const common = {
  appName: "kez-chat",
  skip: "Skip to the content",
  conversations: "Conversations",
  profile: "Profile",
  nothingOpen: "Choose a conversation, or add somebody you know.",
  back: "Back",
  close: "Close",
  cancel: "Cancel",
  copy: "Copy",
  copied: "Copied",
  show: "Show",
  hide: "Hide",
  later: "Later",
  tryNow: "Try now",
  retry: "Try again",
  loading: "Loading",
  offline: "No connection. What you write is kept and goes out by itself.",
  offlineSince: (time: string) => `No connection since ${time}. What you write is kept and goes out by itself.`,
  moved: "Your account has a new key. This browser has the old one and can only read.",
  movedEnter: "Enter the new words",
  suspended:
    "The operator of your server has suspended this account. Nothing is sent or received until they lift it; what you write is kept here.",
  refused: "Your server refuses this account: it may have been revoked or deleted. What you write is kept here.",
  catchingUp: (taken: number, of: number) =>
    `Bringing back messages: ${taken.toLocaleString("en")} of ${of.toLocaleString("en")}`,
  storeFull:
    "No space is left for this page. Messages wait at the server, and come in by themselves once you free some space on this computer.",
  storeFailing:
    "The browser cannot store anything at the moment. Messages wait at the server and come in by themselves.",
  updateReady: "A new version is ready.",
  updateNow: "Reload",
  elsewhere: "This account is open in another tab or window.",
  useHere: "Use it here",
  insecureTitle: "This page needs https",
  insecure:
    "A browser encrypts only on https pages and on localhost. The operator of this server must put it behind https; until then nobody can sign in here.",
  noStorageTitle: "This browser lets the page store nothing",
  noStorage:
    "Private windows and strict settings do that. Your key has to be stored: open this page in a normal window, or allow it to store data.",
  tooOldTitle: "This browser is too old",
  tooOld: "Update it, or use Chrome or Edge 120, Firefox 128 or Safari 17 or newer.",
  damagedTitle: "The data in this browser is damaged",
  damaged: "Log out here and come back with your 24 words. Messages come back as far as the server keeps them.",
  clearedTitle: "This browser has cleared the data of this page",
  cleared:
    "The key and the messages here are gone. Reload the page and enter your 24 words: messages come back as far as the server keeps them.",
  unreachable: (server: string) =>
    `${server} cannot be reached. Check your connection; this page tries again by itself.`,
  failed: (detail: string) => `That did not work: ${detail}`
}
