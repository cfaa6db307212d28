// A shim for kez-conformance: fill `operations` with calls of your implementation. Build with: swiftc -O shim.swift
import Foundation

/// The input is not acceptable; `code` is one of the specification's codes.
struct Refused: Error {
  let code: String
  let message: String
}

func hexDecode(_ args: [String: Any]) throws -> Any {
  let text = Array((args["text"] as? String ?? "").utf8)
  let digits = Array("0123456789abcdef".utf8)
  guard text.count % 2 == 0, text.allSatisfy(digits.contains) else {
    throw Refused(code: "encoding_malformed", message: "lower-case digits in pairs")
  }
  let bytes = stride(from: 0, to: text.count, by: 2).map { at in
    UInt8(digits.firstIndex(of: text[at])! * 16 + digits.firstIndex(of: text[at + 1])!)
  }
  return Data(bytes).base64EncodedString()
    .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    .replacingOccurrences(of: "=", with: "")
}

/// Each takes the `input` of a vector and returns its `result`: kez-conformance list --operations
let operations: [String: ([String: Any]) throws -> Any] = ["hex.decode": hexDecode]

let start: [String: Any] = [
  "protocol": 1,
  "implementation": ["name": "my-kez", "version": "0.1.0", "language": "Swift"],
  "profiles": ["identity"],
  "ops": Array(operations.keys),
]

func answer(_ cmd: String, _ args: [String: Any]) -> [String: Any] {
  if cmd == "start" { return ["ok": start] }
  if cmd == "stop" { return ["ok": [String: Any]()] }
  guard let operation = operations[cmd] else { return ["unsupported": true] }
  do {
    return ["ok": try operation(args)]
  } catch let refused as Refused {
    return ["error": ["code": refused.code, "message": refused.message]]
  } catch {
    return ["internal": ["message": "\(error)"]]
  }
}

while let line = readLine() {
  guard let request = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
    let cmd = request["cmd"] as? String
  else { fatalError("not a request: \(line)") }
  var response = answer(cmd, request["args"] as? [String: Any] ?? [:])
  response["seq"] = request["seq"]
  FileHandle.standardOutput.write(try JSONSerialization.data(withJSONObject: response))
  FileHandle.standardOutput.write(Data("\n".utf8))
  if cmd == "stop" { break }
}
