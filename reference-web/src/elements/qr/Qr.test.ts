import { decodeQR } from "qr/decode.js"
import { html, render } from "lit"
import { afterEach, expect, it } from "vitest"
import "./Qr.ts"

afterEach(() => render(html``, document.body))

/** The picture of 8 pixels a square, as a camera would see it. */
const picture = (path: string, size: number) => {
  const canvas = new OffscreenCanvas(size * 8, size * 8)
  const context = canvas.getContext("2d")!
  context.fillStyle = "#ffffff"
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.scale(8, 8)
  context.fillStyle = "#000000"
  context.clip(new Path2D(path))
  context.fillRect(0, 0, size, size)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

it.each([
  ["a handle", "chris@kez.lat"],
  ["a safety number", `kez:sn1:${"Qm7x".repeat(21)}Qw`],
  ["a very long handle", `${"a".repeat(32)}@${"long.".repeat(48)}example`],
  ["letters of other scripts", "ähnlich@пример.example"]
])("draws what a reader reads: %s", async (_, text) => {
  render(html`<kez-qr text=${text} label="A code"></kez-qr>`, document.body)
  const svg = () => document.querySelector("kez-qr")!.shadowRoot!.querySelector("svg")!
  await expect.poll(() => svg()?.querySelector("path")?.getAttribute("d")).toBeTruthy()
  const { data, height, width } = picture(svg().querySelector("path")!.getAttribute("d")!, svg().viewBox.baseVal.width)
  expect(decodeQR({ data, height, width })).toBe(text)
})
