/** One file to upload. `path` has forward slashes; a file out of a directory carries its directories in front. */
export interface FileToSend {
  path: string
  file: File
}

/** What was dropped, directories walked through to their last file. Must be called within the drop event: entries are gone after it. */
export async function droppedFiles(transfer: DataTransfer): Promise<FileToSend[]> {
  const entries = [...transfer.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null
    return entry ? [entry] : []
  })
  return (await Promise.all(entries.map((entry) => walk(entry, '')))).flat()
}

/** What an input was given, one file or a whole directory. */
export function chosenFiles(list: FileList | null): FileToSend[] {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

async function walk(entry: FileSystemEntry, folder: string): Promise<FileToSend[]> {
  const path = `${folder}${entry.name}`
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))
    return [{ path, file }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: FileToSend[] = []
  // A reader gives a hundred at a time, then an empty list.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (some.length === 0) return found
    for (const one of some) found.push(...(await walk(one, `${path}/`)))
  }
}
