export type { AccountState, HandleStatus, VaultSlot as Slot, WebAccount, WordsCheck } from "@kez-chat/sdk/web-page"
