/** Files from device to device over Iroh. Node only; needs the optional peer `@kez-chat/iroh-native` or `@number0/iroh`. */
export * as IrohBlobTransport from "./IrohBlobTransport.ts"
