/** `/docs`: an OpenAPI document as a page, rendered here so that it works offline and runs no script. */
import type * as OpenApi from "effect/http-api/OpenApi"
import { escape } from "./Page.ts"

type Spec = OpenApi.OpenAPISpec
type Operation = OpenApi.OpenAPISpecOperation
type Json = { readonly [name: string]: unknown }

const style = `
:root{--ink:#14211f;--soft:#4b5b58;--line:#d8e0de;--ground:#f7faf9;--card:#fff;--accent:#0f766e}
@media (prefers-color-scheme:dark){:root{--ink:#e6efed;--soft:#9db0ac;--line:#2a3836;--ground:#0e1514;--card:#16201e;--accent:#5eead4}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{max-width:56rem;margin:0 auto;padding:2rem 1.1rem 4rem}h1{margin:0 0 .4rem}h2{margin:2.4rem 0 .6rem}
a{color:var(--accent)}a:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.1rem;margin:0 0 1rem}
h3{margin:0 0 .4rem;font-size:1rem;overflow-wrap:anywhere}h3 b{color:var(--accent)}p{margin:.3rem 0 .6rem;color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;border-top:1px solid var(--line);font-weight:400}td:nth-child(2){overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--accent)}pre{overflow-x:auto;margin:.5rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere}`

const text = (value: unknown): string => escape(typeof value === "string" ? value : JSON.stringify(value, null, 2))

/** Prose with `code` in backticks. */
const prose = (value: string): string => text(value).replace(/`([^`]+)`/g, "<code>$1</code>")

const schemaNames = (content: unknown): string =>
  Object.entries((content ?? {}) as Json)
    .map(([type, body]) => {
      const { schema } = body as { schema?: Json }
      const parts = [schema?.["anyOf"] ?? schema].flat() as ReadonlyArray<Json | undefined>
      const names = parts
        .map((part) =>
          String(part?.["$ref"] ?? "")
            .split("/")
            .at(-1)
        )
        .filter((name) => name !== "")
      return `<code>${escape(type)}</code> ${names
        .map((name) => `<a href="#${text(name)}">${text(name)}</a>`)
        .join(" or ")}`
    })
    .join(", ")

const operationHtml = (path: string, method: string, operation: Operation): string => {
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      `<tr><td><code>${text(parameter.name)}</code></td><td>${text(parameter.in)}${
        parameter.required ? "" : ", optional"
      }</td></tr>`
  )
  const body = operation.requestBody === undefined ? "" : `<p>Body: ${schemaNames(operation.requestBody.content)}</p>`
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, answer]) =>
      `<tr><td>${text(status)}</td><td>${text(answer.description)}</td><td>${
        Number(status) < 400 ? schemaNames(answer.content) : ""
      }</td></tr>`
  )
  return `<section id="${text(operation.operationId)}"><h3><b>${text(method.toUpperCase())}</b> <code>${text(
    path
  )}</code> ${text(operation.summary ?? "")}</h3><p>${prose(operation.description ?? "")}</p>${
    parameters.length === 0 ? "" : `<div class="wide"><table>${parameters.join("")}</table></div>`
  }${body}<div class="wide"><table>${answers.join("")}</table></div></section>`
}

/** The page of an API. */
export const docsPage = (spec: Spec): string => {
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, Operation>>).map(([method, operation]) =>
      operationHtml(path, method, operation)
    )
  )
  const schemas = Object.entries(spec.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<section id="${text(name)}"><h3>${text(name)}</h3><details><summary>JSON Schema</summary><pre>${text(
        schema
      )}</pre></details></section>`
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${text(
    spec.info.title
  )}</title><style>${style}</style></head><body><main><h1>${text(spec.info.title)}</h1><p>${prose(spec.info.description ?? "")} As <a href="/openapi.json">OpenAPI</a>.</p><h2>Routes</h2>${operations.join("")}<h2>Shapes</h2>${schemas.join(
    ""
  )}</main></body></html>`
}
