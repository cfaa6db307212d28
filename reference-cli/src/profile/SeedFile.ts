/** The vault in a file, apart from the rest of the SDK: the derivation of its key begins before that is loaded. */
export { FileVault } from "@kez-chat/sdk/node"
