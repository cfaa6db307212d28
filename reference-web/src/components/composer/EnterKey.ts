const key = "kez-chat/enter"

/** Whether Enter sends, and Shift Enter begins a line. On touch keyboards Enter begins a line unless it is set. */
export const enterSends = (): boolean => {
  try {
    const set = localStorage.getItem(key)
    if (set !== null) return set === "sends"
  } catch {
    // Storage is forbidden here: the default holds.
  }
  return !matchMedia("(pointer: coarse)").matches
}

/** Sets what Enter does in this browser. */
export const setEnterSends = (sends: boolean): void => localStorage.setItem(key, sends ? "sends" : "newline")
