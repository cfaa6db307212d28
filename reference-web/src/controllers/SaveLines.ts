interface Writable {
  write(text: string): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}

type SavePicker = (options: { readonly suggestedName: string }) => Promise<{ createWritable(): Promise<Writable> }>

/** Lines that are written at once. */
const batch = 200

/**
 * Saves values as JSON, one a line, under a name that the person may change: written as they come where the browser
 * lets a page do that, otherwise collected and downloaded. Resolves to the number of lines; undefined if the person
 * chose no file.
 */
export const saveLines = async (
  name: string,
  values: AsyncIterable<unknown>,
  onCount: (count: number) => void
): Promise<number | undefined> => {
  const picker = Reflect.get(globalThis, "showSaveFilePicker") as SavePicker | undefined
  let file: Writable | undefined
  try {
    file = await (await picker?.({ suggestedName: name }))?.createWritable()
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined
    throw error
  }
  const chunks: Array<string> = []
  let pending = ""
  let count = 0
  const flush = async () => {
    if (file === undefined) chunks.push(pending)
    else await file.write(pending)
    pending = ""
    onCount(count)
  }
  try {
    for await (const value of values) {
      pending += `${JSON.stringify(value)}\n`
      count += 1
      if (count % batch === 0) await flush()
    }
    await flush()
    await file?.close()
  } catch (error) {
    await file?.abort().catch(() => undefined)
    throw error
  }
  if (file === undefined) download(name, new Blob(chunks, { type: "application/x-ndjson" }))
  return count
}

const download = (name: string, content: Blob): void => {
  const url = URL.createObjectURL(content)
  Object.assign(document.createElement("a"), { href: url, download: name }).click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
