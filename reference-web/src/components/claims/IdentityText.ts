import { FileName } from "@kez-chat/sdk/protocol"

/** A claimed identity `system:name` in its parts, fit for display: both are chosen by the one who claims. */
export const identityText = (subject: string): { readonly system: string; readonly name: string } => {
  const [, system = "", name = subject] = /^([a-z][a-z0-9]*):(.+)$/su.exec(subject) ?? []
  return { system, name: FileName.display(name) }
}
