/** `Problem` as RFC 9457 `application/problem+json`: the body of every unsuccessful HTTP answer. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { codes, Problem, type Code } from "../protocol/Problem.ts"

/** The media type of RFC 9457. */
export const mediaType = "application/problem+json"

/** The JSON object sent. `code` is the extension member for programs; `title` never varies for one code. */
export interface ProblemBody {
  /** `urn:kez:problem:` and the code. */
  readonly type: string
  readonly title: string
  /** The HTTP status. */
  readonly status: number
  readonly code: Code
  /** The specific finding, for a person. */
  readonly detail: string
}

/** The body for a problem. */
export const fromProblem = (problem: Problem): ProblemBody => ({
  type: `urn:kez:problem:${problem.code}`,
  title: codes[problem.code].title,
  status: codes[problem.code].status,
  code: problem.code,
  detail: problem.detail
})

const detailCharacters = 1_000

/** The problem in a parsed body, if its code is known. The server's text is cut to one line. */
export const toProblem = (body: unknown): Problem | undefined => {
  if (typeof body !== "object" || body === null) return undefined
  const { code, detail } = body as Record<string, unknown>
  if (typeof code !== "string" || !Object.hasOwn(codes, code)) return undefined
  const text = typeof detail === "string" ? detail.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, detailCharacters) : ""
  return new Problem({ code: code as Code, detail: text })
}

/** Extension member of `chain_conflict`: the head of the chain. */
const Head = Schema.Struct({ seq: Schema.Int, hash: Schema.String })

const bodyOf = (status: number, names: ReadonlyArray<Code>): Schema.Codec<ProblemBody, unknown> => {
  const fields = {
    type: Schema.String,
    title: Schema.String,
    status: Schema.Literal(status),
    code: Schema.Literals(names),
    detail: Schema.String
  }
  return names.includes("chain_conflict")
    ? Schema.Struct({ ...fields, head: Schema.optionalKey(Head) })
    : Schema.Struct(fields)
}

const withStatus = (status: number, names: ReadonlyArray<Code>): Schema.Codec<Problem, unknown> =>
  bodyOf(status, names)
    .pipe(
      Schema.decodeTo(
        Schema.declare((value: unknown): value is Problem => value instanceof Problem && names.includes(value.code)),
        SchemaTransformation.transform({
          decode: ({ code, detail }: ProblemBody) => new Problem({ code, detail }),
          encode: (problem: Problem) => fromProblem(problem)
        })
      ),
      HttpApiSchema.asJson({ contentType: mediaType })
    )
    .annotate({ httpApiStatus: status, description: names.join(", ") })

/** The error schemas of an endpoint that can answer these codes: one per status. */
export const problems = (...names: ReadonlyArray<Code>): ReadonlyArray<Schema.Codec<Problem, unknown>> =>
  [...Map.groupBy(names, (name) => codes[name].status)].map(([status, group]) => withStatus(status, group))
