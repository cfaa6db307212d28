/** Texts without visible characters, typed by accident or left by a script with an unset variable. */

// White space; control characters; zero-width, direction, filler and other ignorable characters; empty Braille cell.
// oxlint-disable-next-line no-control-regex
const nothing = /^[\s\p{Cc}\p{Z}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\u2800]*$/u

/** Whether a text is empty or invisible. Calls that take a name, path, id or text refuse it. */
export const isBlank = (text: string): boolean => nothing.test(text)
