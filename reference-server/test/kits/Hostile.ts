/** Both servers for hostile input, and what every answer must be: from the closed list, with no defect behind it. */
import { Problem } from "@kez-chat/sdk/protocol"
import { expect } from "vitest"
import { type Answer, startChat, startSig, temporaryFolder } from "./Servers.ts"

/** Starts a chat-server and a sig-server that give a body one second, so that tests of slow clients are quick. */
export const startBoth = async () => {
  const folder = temporaryFolder()
  const flags = ["--request-timeout", "1", "--idle-timeout", "3"]
  const [chat, sig] = await Promise.all([startChat(folder.path, flags), startSig(folder.path, flags)])
  return { chat, sig, folder }
}

/** Stops both. A defect would have been logged as an error: no hostile input may cause one. */
export const stopBoth = async ({ chat, folder, sig }: Awaited<ReturnType<typeof startBoth>>) => {
  const exits = await Promise.all([chat.stop(), sig.stop()])
  folder[Symbol.dispose]()
  expect(exits).toEqual([0, 0])
  expect([...chat.logs, ...sig.logs].filter(({ level }) => level === "error" || level === "fatal")).toEqual([])
}

export const expectProblem = (answer: Pick<Answer, "status" | "headers" | "json">, code?: Problem.Code): void => {
  expect(answer.headers.get("content-type")).toBe("application/problem+json")
  const found = answer.json["code"] as Problem.Code
  expect(Object.keys(Problem.codes)).toContain(found)
  expect(answer.json).toMatchObject({
    type: `urn:kez:problem:${found}`,
    title: Problem.codes[found].title,
    status: answer.status,
    detail: expect.any(String)
  })
  expect(answer.status).toBe(Problem.codes[found].status)
  expect(JSON.stringify(answer.json)).not.toMatch(/\bat \/|node_modules|\.ts:|SQLITE/)
  if (code !== undefined) expect(found).toBe(code)
}

/** The responses that came over one connection. */
export const responses = (received: string) => received.split(/(?=HTTP\/1\.1 \d)/).filter((part) => part !== "")
export const statusOf = (response: string) => Number(response.slice(9, 12))
export const bodyOf = (response: string) => response.slice(response.indexOf("\r\n\r\n") + 4)
