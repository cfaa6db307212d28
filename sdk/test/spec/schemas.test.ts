import { Ajv2020 } from "ajv/dist/2020.js"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"

const spec = path.resolve(import.meta.dirname, "../../../spec")
const json = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(spec, file), "utf8"))
const files = fs.readdirSync(path.join(spec, "schemas")).filter((name) => name.endsWith(".schema.json"))

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true })
for (const name of files) ajv.addSchema(json(`schemas/${name}`) as object, name)

const validator = (name: string) => {
  const validate = ajv.getSchema(`${name}.schema.json`)
  if (validate === undefined) throw new Error(`no schema ${name}`)
  return (value: unknown) => (validate(value) ? [] : validate.errors)
}

describe("schemas of the specification", () => {
  it.each(files)("%s is a JSON Schema whose references resolve", (name) => {
    expect(ajv.getSchema(name)).toBeTypeOf("function")
  })

  it("holds requirements.json", () => {
    expect(validator("requirements")(json("requirements.json"))).toEqual([])
  })
})
