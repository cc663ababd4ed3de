import '@fontsource-variable/noto-sans-sc'

/** Nothing to call: importing this file adds the faces of Noto Sans SC to the document. */
export const chineseFont = 'Noto Sans SC Variable'
