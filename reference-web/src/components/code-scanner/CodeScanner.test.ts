import { encodeQR } from "qr"
import { html, render } from "lit"
import { afterEach, expect, it, vi } from "vitest"
import "./CodeScanner.ts"

afterEach(() => {
  render(html``, document.body)
  vi.restoreAllMocks()
})

const scanner = () => {
  render(html`<kez-code-scanner name="chris"></kez-code-scanner>`, document.body)
  return document.querySelector("kez-code-scanner")!
}

it("reads a code from the camera's picture, and lets the camera go", async () => {
  const code = `kez:sn1:${"Qm7x".repeat(21)}Qw`
  const rows = encodeQR(code, "raw", { border: 4 })
  const canvas = document.createElement("canvas")
  canvas.width = 640
  canvas.height = 480
  const context = canvas.getContext("2d")!
  const draw = () => {
    context.fillStyle = "#ffffff"
    context.fillRect(0, 0, 640, 480)
    context.fillStyle = "#000000"
    rows.forEach((row, y) => row.forEach((dark, x) => dark && context.fillRect(100 + x * 6, 20 + y * 6, 6, 6)))
  }
  draw()
  const stream = canvas.captureStream(30)
  vi.spyOn(navigator.mediaDevices, "getUserMedia").mockResolvedValue(stream)
  const timer = setInterval(draw, 50)
  const element = scanner()
  const text = await new Promise((resolve) => {
    element.addEventListener("kez-scan", (event) => resolve(event.detail.text), { once: true })
  })
  clearInterval(timer)
  expect(text).toBe(code)
  element.remove()
  expect(stream.getTracks().map(({ readyState }) => readyState)).toEqual(["ended"])
})

it.each([
  ["NotAllowedError", "refused"],
  ["NotFoundError", "missing"]
])("says what to do after %s", async (name, camera) => {
  vi.spyOn(navigator.mediaDevices, "getUserMedia").mockRejectedValue(new DOMException("", name))
  const element = scanner()
  await expect.poll(() => element.camera).toBe(camera)
  await element.updateComplete
  expect(element.shadowRoot?.textContent).toContain("the number aloud")
})
