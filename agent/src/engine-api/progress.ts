import type { Operation, OperationProgress } from '@berth/contract/operation'
import { codeOf, messageOf } from '../errors.ts'
import type { OperationContext } from '../operations/operations.ts'
import type { Call } from './call.ts'
import { failure } from './failure.ts'
import { Outbox } from './outbox.ts'

/**
 * What may wait for a client that does not read. Beyond it only the newest lines are kept for it (the last of a build tell its image), and it is told how many
 * are missing. The work itself does not wait for its audience.
 */
const mostWaitingBytes = 8 * 1024 * 1024
const newestBytes = 256 * 1024

const megabyte = 1e6

/** go-units' HumanSize with three significant digits, as Docker prints it beside the bar. */
export function humanSize(bytes: number): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let index = 0
  while (value >= 1000 && index < names.length - 1) {
    value /= 1000
    index += 1
  }
  return `${Number.parseFloat(value.toPrecision(4))}${names[index]}`
}

/** Docker's progress bar text for old clients that print it as it is. */
function bar(current: number, total: number): string {
  const filled = Math.min(50, Math.floor((current / total) * 50))
  return `[${'='.repeat(filled)}>${' '.repeat(Math.max(0, 50 - filled))}]  ${humanSize(current)}/${humanSize(total)}`
}

/** One line of Docker's jsonmessage stream. */
export function progressMessage(line: OperationProgress): Record<string, unknown> {
  const message: Record<string, unknown> = {}
  // Red, as Docker shows what a build step writes to its standard error.
  if (line.text !== undefined) message.stream = line.stderr ? `\u001b[91m${line.text}\u001b[0m` : line.text
  if (line.status !== undefined) message.status = line.status
  if (line.currentBytes !== undefined && line.currentBytes > 0) {
    const total = line.totalBytes ?? 0
    message.progressDetail = total > 0 ? { current: line.currentBytes, total } : { current: line.currentBytes }
    message.progress = total > 0 ? bar(line.currentBytes, total) : `${(line.currentBytes / megabyte).toFixed(3)}MB`
  } else if (line.status !== undefined && line.id !== undefined) message.progressDetail = {}
  if (line.id !== undefined) message.id = line.id
  if (line.aux !== undefined) message.aux = line.aux
  return message
}

/**
 * Runs long work for a client that reads progress: nothing is sent until the work has said something or ended, so that an early failure gets its proper status; after that an
 * error travels inside the stream. When the client goes away the work is cancelled.
 */
export async function streamOperation<T>(
  call: Call,
  about: { kind: Operation['kind']; subject: string },
  run: (context: OperationContext) => Promise<T>,
  last: (result: T) => Record<string, unknown>[],
  translate: (line: OperationProgress) => Record<string, unknown> | null = progressMessage,
  /** What is sent in front of an error: lines that were kept back as long as all went well. */
  held: () => Record<string, unknown>[] = () => [],
  /** Even an early failure travels inside the stream: clients of this call look for it nowhere else. */
  alwaysStreams = false,
): Promise<void> {
  let began = false
  const outbox = new Outbox(call.response, mostWaitingBytes)
  const newest: string[] = []
  let newestLength = 0
  let leftOut = 0
  const begin = () => {
    if (!began) call.response.writeHead(200, { 'Content-Type': 'application/json' })
    began = true
  }
  const textOf = (message: Record<string, unknown>) => `${JSON.stringify(message)}\r\n`
  const catchUp = () => {
    if (leftOut > 0) outbox.push(textOf({ stream: `[${leftOut} pieces of output were left out: nobody read them]\n` }))
    for (const text of newest.splice(0)) outbox.push(text)
    leftOut = 0
    newestLength = 0
  }
  const send = (message: Record<string, unknown>) => {
    begin()
    catchUp()
    outbox.push(textOf(message))
  }
  const sendIfRoom = (message: Record<string, unknown>) => {
    begin()
    if (outbox.empty) catchUp()
    const text = textOf(message)
    if (newest.length === 0 && outbox.offer(text)) return
    newest.push(text)
    newestLength += text.length
    while (newestLength > newestBytes && newest.length > 1) {
      newestLength -= (newest.shift() as string).length
      leftOut += 1
    }
  }
  const { operation, done } = call.engine.operations.start({ ...about, startedBy: 'docker' }, async (context) => {
    // Progress is given straight from the work: a watcher that joined later could miss the first lines.
    const progress = (line: OperationProgress) => {
      context.progress(line)
      const message = translate(line)
      if (message) sendIfRoom(message)
    }
    return run({ id: context.id, signal: context.signal, progress })
  })
  const cancel = () => call.engine.operations.cancel(operation.id)
  call.signal.addEventListener('abort', cancel, { once: true })
  try {
    const result = await done
    for (const message of last(result)) send(message)
    begin()
    catchUp()
  } catch (error) {
    for (const message of held()) send(message)
    if (codeOf(error) === 'internal') call.log.error({ err: error, operation: operation.id }, 'work for a docker client failed')
    if (!began && !alwaysStreams) {
      const { status, body } = failure(error)
      // A registry's 401 is not this engine's: the command line would ask for a password instead of showing the sentence.
      const text = `${JSON.stringify(body)}\n`
      // With its length: docker-py takes what comes in chunks for progress, whatever the status says.
      const head = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }
      call.response.writeHead(status === 401 ? 500 : status, head)
      call.response.end(text)
      return
    }
    const message = messageOf(error)
    // A build step's exit status is the command line's own.
    const code = Number(/returned a non-zero code: (\d+)$/.exec(message)?.[1] ?? 0)
    send({ errorDetail: code > 0 ? { code, message } : { message }, error: message })
  } finally {
    call.signal.removeEventListener('abort', cancel)
  }
  await outbox.flushed()
  call.response.end()
}
