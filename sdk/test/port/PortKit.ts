/** Doubles for tests of ports. */
import type { KezChatClient } from "@kez-chat/sdk/promise"

type Loose = { readonly [Name in keyof KezChatClient]?: (...args: ReadonlyArray<never>) => unknown }

/** A client with these calls and none of the others. */
export const clientWith = (calls: Loose): KezChatClient =>
  ({ close: async () => {}, ...calls }) as unknown as KezChatClient

/** Items without end, one for each answer of `wait`. */
export async function* endless(wait: () => Promise<unknown> = async () => {}): AsyncGenerator<Uint8Array> {
  for (;;) {
    await wait()
    yield new Uint8Array(1)
  }
}

/** The result of a call, or the fields of its error; an error without a tag as it is. */
export const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: unknown) => {
    if (!(error instanceof Error) || !("_tag" in error)) return error
    const { cause: _, ...fields } = { ...error } as Readonly<Record<string, unknown>>
    return { ...fields, _tag: error._tag, name: error.name, message: error.message }
  })
