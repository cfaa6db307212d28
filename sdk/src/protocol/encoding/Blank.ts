/** Texts that show nothing: what a person typed by accident, or a script left when a variable was not set. */

// White space; control characters; zero-width, direction, filler and other ignorable characters; the empty Braille cell.
// oxlint-disable-next-line no-control-regex
const nothing = /^[\s\p{Cc}\p{Z}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\u2800]*$/u

/** Whether a text is empty or holds only characters that show nothing. Calls that take a name, path, id or text refuse it. */
export const isBlank = (text: string): boolean => nothing.test(text)
