import { AccountExists, ContactUnknown, FetchBlocked, KeyRefused, NoAccount, SendBlocked } from "@kez-chat/sdk"
import { Problem } from "@kez-chat/sdk/protocol"
import {
  BlobStoreError,
  BlobTransportError,
  BrokerUnavailable,
  FileError,
  ServerUnreachable,
  StoreError,
  VaultError
} from "@kez-chat/sdk/services"
import { describe, expect, it } from "vitest"
import { ExitCode } from "../src/ExitCode.ts"
import { describe as told, type Failure } from "../src/Failure.ts"

const problem = (code: Problem.Code) => new Problem.Problem({ code, detail: "x" })

describe("describe", () => {
  it.each<[Failure, number, string]>([
    [new NoAccount(), 3, "no_account"],
    [new AccountExists({ handle: "a@b" }), 5, "account_exists"],
    [new ContactUnknown({ who: "bob" }), 4, "contact_unknown"],
    [new SendBlocked({ who: "bob", reason: "changed", detail: "x" }), 10, "send_blocked_changed"],
    [new KeyRefused({ who: "bob", primary: "k", reason: "not_offered", detail: "x" }), 5, "key_not_offered"],
    [problem("handle_taken"), 5, "handle_taken"],
    [problem("handle_not_found"), 4, "handle_not_found"],
    [problem("mnemonic_invalid"), 2, "mnemonic_invalid"],
    [problem("message_too_large"), 2, "message_too_large"],
    [problem("rate_limited"), 6, "rate_limited"],
    [new ServerUnreachable({ url: "https://x", detail: "down" }), 6, "server_unreachable"],
    [new BrokerUnavailable({ reason: "timeout", detail: "x" }), 6, "broker_timeout"],
    [new BrokerUnavailable({ reason: "unauthorized", detail: "x" }), 5, "broker_unauthorized"],
    [new BrokerUnavailable({ reason: "suspended", detail: "x" }), 5, "broker_suspended"],
    [new VaultError({ reason: "locked", detail: "x" }), 7, "vault_locked"],
    [new VaultError({ reason: "wrong_passphrase", detail: "x" }), 7, "vault_wrong_passphrase"],
    [new VaultError({ reason: "damaged", detail: "x" }), 1, "vault_damaged"],
    [new StoreError({ reason: "locked", detail: "x" }), 8, "store_locked"],
    [new StoreError({ reason: "full", detail: "x" }), 1, "store_full"],
    [problem("file_not_found"), 4, "file_not_found"],
    [problem("no_content_key"), 4, "no_content_key"],
    [problem("ticket_malformed"), 2, "ticket_malformed"],
    [problem("blob_mismatch"), 5, "blob_mismatch"],
    [new FetchBlocked({ who: "bob", reason: "requested", detail: "x" }), 5, "fetch_blocked_requested"],
    [new BlobStoreError({ reason: "full", detail: "x" }), 1, "blobs_full"],
    [new BlobStoreError({ reason: "busy", detail: "x" }), 8, "blobs_busy"],
    [new BlobTransportError({ reason: "refused", detail: "x" }), 5, "transport_refused"],
    [new BlobTransportError({ reason: "unreachable", detail: "x" }), 6, "transport_unreachable"],
    [new BlobTransportError({ reason: "unavailable", detail: "x" }), 1, "transport_unavailable"],
    [new FileError({ reason: "missing", path: "/x", detail: "x" }), 2, "file_missing"],
    [new FileError({ reason: "exists", path: "/x", detail: "x" }), 1, "file_exists"],
    [new FileError({ reason: "read_only", path: "/x", detail: "x" }), 1, "file_read_only"]
  ])("%s exits %i as %s", (error, exit, code) => {
    expect(told(error)).toMatchObject({ exit, code })
  })

  it("names the flags that help where a file is in the way", () => {
    const { message } = told(new FileError({ reason: "exists", path: "/x", detail: "x" }))
    expect(message).toMatch(/^\/x: .*--overwrite.*--name.*--to/)
  })

  it("has a sentence without a line break and an exit code for every problem code", () => {
    for (const code of Object.keys(Problem.codes) as Array<Problem.Code>) {
      const { exit, message } = told(problem(code))
      expect(message).not.toMatch(/\n/)
      expect(Object.values(ExitCode)).toContain(exit)
      expect(exit).not.toBe(0)
    }
  })
})
