/** Passkeys whose PRF extension gives the secret that opens the vault's key. They belong to the page's host. */

interface PrfResults {
  readonly prf?: { readonly enabled?: boolean; readonly results?: { readonly first?: BufferSource } }
}

const random = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length))

const bytesOf = (source: BufferSource): Uint8Array =>
  source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()

const secretOf = (credential: PublicKeyCredential): Uint8Array | undefined => {
  const { prf } = credential.getClientExtensionResults() as PrfResults
  return prf?.results?.first === undefined ? undefined : bytesOf(prf.results.first)
}

/** Whether this browser knows the PRF extension and the device can verify its user. */
export const passkeysAvailable = async (): Promise<boolean> => {
  if (!("PublicKeyCredential" in globalThis)) return false
  try {
    const capabilities = await PublicKeyCredential.getClientCapabilities?.()
    return (
      capabilities?.["extension:prf"] === true &&
      (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())
    )
  } catch {
    return false
  }
}

export interface CreatedPasskey {
  readonly credentialId: Uint8Array
  readonly prfSalt: Uint8Array
  readonly secret: Uint8Array
}

/** Makes a passkey for `handle`. Rejects when the person cancels, or the authenticator has no PRF. */
export const createPasskey = async (handle: string): Promise<CreatedPasskey> => {
  const prfSalt = random(32)
  const created = await navigator.credentials.create({
    publicKey: {
      challenge: random(32),
      rp: { id: location.hostname, name: location.hostname },
      user: { id: random(16), name: handle, displayName: handle },
      pubKeyCredParams: [
        { type: "public-key", alg: -8 },
        { type: "public-key", alg: -7 },
        { type: "public-key", alg: -257 }
      ],
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      extensions: { prf: { eval: { first: prfSalt } } }
    }
  })
  if (!(created instanceof PublicKeyCredential)) throw new Error("no passkey was made")
  const credentialId = new Uint8Array(created.rawId)
  // Some authenticators give the secret only when the passkey is used.
  const secret = secretOf(created) ?? (await usePasskey([{ credentialId, prfSalt }])).secret
  return { credentialId, prfSalt, secret }
}

/** Asks for one of the passkeys. Rejects when the person cancels. */
export const usePasskey = async (
  passkeys: ReadonlyArray<{ readonly credentialId: Uint8Array; readonly prfSalt: Uint8Array }>
): Promise<{ readonly credentialId: Uint8Array; readonly secret: Uint8Array }> => {
  const encode = (id: Uint8Array) =>
    btoa(String.fromCharCode(...id))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "")
  const got = await navigator.credentials.get({
    publicKey: {
      challenge: random(32),
      rpId: location.hostname,
      userVerification: "required",
      allowCredentials: passkeys.map(({ credentialId }) => ({ type: "public-key", id: Uint8Array.from(credentialId) })),
      extensions: {
        prf: {
          evalByCredential: Object.fromEntries(
            passkeys.map(({ credentialId, prfSalt }) => [encode(credentialId), { first: Uint8Array.from(prfSalt) }])
          )
        }
      }
    }
  })
  const secret = got instanceof PublicKeyCredential ? secretOf(got) : undefined
  if (secret === undefined) throw new Error("the passkey gives no secret")
  return { credentialId: new Uint8Array((got as PublicKeyCredential).rawId), secret }
}
