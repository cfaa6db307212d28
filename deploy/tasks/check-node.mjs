// Kept in old syntax on purpose: this file must be readable by any Node, to say which one is needed.
var version = process.versions.node.split(".").map(Number)
// There the install brings Node 24 along, and the one that came with the machine only has to run the set-up.
var bundled = process.platform === "linux" && process.arch === "x64"
var enough = version[0] >= 24 || (bundled && (version[0] > 20 || (version[0] === 20 && version[1] >= 19)))

if (!enough) {
  process.stderr.write(
    "kez-chat needs Node " +
      (bundled ? "20.19" : "24") +
      " or newer here and this is " +
      process.versions.node +
      ": install a newer one (nodejs.org, or your version manager; .nvmrc names 24) and run the same command again.\n"
  )
  process.exit(1)
}
