/** Welcome, signing up, restoring, unlocking. */
export const signUp = {}
