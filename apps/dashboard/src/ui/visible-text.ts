/** Characters that turn the direction of what follows, so that a name or a line reads as something else. */
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; tab and newline are left as they are
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/g

/** Text that somebody else wrote, with what would not be seen made visible: `\u202e` becomes ⟨U+202E⟩, an escape ␛. */
export function visibleText(text: string): string {
  return text
    .replace(turning, (char) => `⟨U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`)
    .replace(control, (char) => (char === '\u007f' ? '␡' : String.fromCharCode(0x2400 + char.charCodeAt(0))))
}
