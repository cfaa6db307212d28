/** Web Locks as values: held until they are released, or until their page or worker is gone. */

export type Release = () => void

/** Waits for a lock, or gives undefined if it is taken and `ifAvailable`, or the signal is aborted. */
export const hold = (
  name: string,
  options: { readonly ifAvailable?: true; readonly signal?: AbortSignal } = {}
): Promise<Release | undefined> =>
  new Promise((resolve, reject) => {
    navigator.locks
      .request(name, options, (lock) => {
        if (lock === null) return resolve(undefined)
        return new Promise<void>((release) => resolve(release))
      })
      .catch((error: unknown) => (options.signal?.aborted === true ? resolve(undefined) : reject(error)))
  })
