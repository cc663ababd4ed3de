import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ContainerDetail } from '@berth/contract/container'
import { codeOf, EngineError } from '../errors.ts'
import type { Attachment } from '../tasks/tasks.ts'
import { type Call, checkContentType, flag, integer, parseObject, type Route, readBody, readObject, sendEmpty, sendJson } from './call.ts'
import { failure } from './failure.ts'
import { Fields } from './fields.ts'
import { frameHeader, parseDetachKeys, pump, RawConnection, rawType } from './hijack.ts'
import { repeatLog } from './logs.ts'

/** attach and exec: everything that takes the connection over. */

function detachKeysOf(call: Call, fallback = ''): Buffer {
  const text = call.query.get('detachKeys') || fallback
  const keys = parseDetachKeys(text)
  if (!keys) throw new EngineError('invalid_argument', `Invalid detach keys (${text}) provided`)
  return keys
}

/** What an attach needs to know first. @throws invalid_argument, not_found, failed_precondition (paused) */
async function checkAttach(call: Call): Promise<{ keys: Buffer; detail: ContainerDetail }> {
  const container = call.params[0] as string
  const keys = detachKeysOf(call)
  const detail = await call.engine.containers.inspect(container)
  if (detail.state.status === 'paused')
    throw new EngineError('failed_precondition', `container ${container} is paused, unpause the container before attach`)
  return { keys, detail }
}

/** Docker has taken the connection over by the time an attach is refused, and says so in plain text: the command line prints it as it comes. */
function refuseAttach(socket: Duplex, error: unknown): void {
  const { status, body } = failure(error)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: ${rawType}\r\n\r\n${body.message}\r\n`)
}

async function attach(call: Call): Promise<void> {
  const container = call.params[0] as string
  const checked = await checkAttach(call).catch((error: unknown) => {
    if (!call.upgrade || codeOf(error) === 'internal') throw error
    refuseAttach(call.upgrade.socket, error)
    return null
  })
  if (checked === null) return
  const { keys, detail } = checked
  const terminal = detail.options.terminal
  const stream = flag(call.query, 'stream')
  const stdin = stream && flag(call.query, 'stdin') && detail.options.openStdin
  // Some clients repeat the query as a body; what follows it is input.
  const { rest } = await takeBody(call)
  const connection = new RawConnection(call, rest)
  const [stdout, stderr] = [flag(call.query, 'stdout'), flag(call.query, 'stderr')]
  // The monitor of a running process repeats exactly what came before the stream; without one, or without a stream, the log has it.
  const fromMonitor = stream && detail.state.status === 'running'
  const fromLog = flag(call.query, 'logs') && !fromMonitor
  const repeat = () => repeatOrSay(call, connection, detail, { stdout, stderr, plain: terminal })
  if (!stream) {
    connection.open(terminal)
    if (fromLog) await repeat()
    call.engine.events.publish(attachEvent('attach', detail))
    connection.end(false)
    return
  }
  // Without a running process there is nothing to wait for: the viewer is kept until start, as docker run needs it.
  const why = await pump(
    connection,
    {
      terminal,
      plain: terminal,
      stdin,
      keepStdin: !detail.options.stdinOnce,
      stdout,
      stderr,
      replay: fromMonitor && flag(call.query, 'logs'),
      detachKeys: keys,
    },
    async (options, listener) => {
      connection.open(terminal)
      if (!fromLog) return call.engine.containers.attach(container, options, listener)
      // Joined first, so that a start that comes during the reading loses nothing; what it says waits its turn.
      let release = () => {}
      const repeated = new Promise<void>((resolve) => {
        release = resolve
      })
      const joined = call.engine.containers.attach(container, options, {
        ...listener,
        stdout: (bytes) => void repeated.then(() => listener.stdout(bytes)),
        stderr: (bytes) => void repeated.then(() => listener.stderr(bytes)),
        ended: (reason) => void repeated.then(() => listener.ended(reason)),
      })
      await repeat()
      release()
      return joined
    },
  )
  if (why === 'detached') call.engine.events.publish(attachEvent('detach', detail))
}

function attachEvent(action: 'attach' | 'detach', detail: ContainerDetail) {
  return { type: 'container' as const, action, actorId: detail.id, attributes: { name: detail.name, image: detail.options.image } }
}

/** The head is out by then: a log that cannot be read says so in its place. */
async function repeatOrSay(
  call: Call,
  connection: RawConnection,
  detail: ContainerDetail,
  wanted: { stdout: boolean; stderr: boolean; plain: boolean },
): Promise<void> {
  const closed = new Promise<void>((resolve) => connection.onClose(resolve))
  const write = (bytes: Buffer) => Promise.race([new Promise<void>((resolve) => connection.write(bytes, resolve)), closed])
  try {
    await repeatLog(call, detail, wanted, write)
  } catch (error) {
    if (call.signal.aborted) return
    await write(Buffer.from(`Error attaching: ${failure(error).body.message}\n`))
  }
}

async function createExec(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const cmd = fields.texts('Cmd') ?? []
  if (cmd.length === 0) throw new EngineError('invalid_argument', 'No exec command specified')
  const detachKeys = fields.text('DetachKeys')
  if (!parseDetachKeys(detachKeys)) throw new EngineError('invalid_argument', `Invalid escape keys (${detachKeys}) provided`)
  const made = await call.engine.containers.createExec(call.params[0] as string, {
    cmd,
    terminal: fields.bool('Tty'),
    attachStdin: fields.bool('AttachStdin'),
    attachStdout: fields.bool('AttachStdout'),
    attachStderr: fields.bool('AttachStderr'),
    user: fields.text('User'),
    workingDir: fields.text('WorkingDir'),
    env: fields.texts('Env') ?? [],
    privileged: fields.bool('Privileged'),
    detachKeys,
  })
  sendJson(call, 201, { Id: made.id })
}

/** Takes the JSON body off the front of a connection that is being taken over: what follows it is input of the process. */
async function takeBody(call: Call): Promise<{ body: Buffer; rest: Buffer }> {
  if (!call.upgrade) return { body: Buffer.alloc(0), rest: Buffer.alloc(0) }
  const length = Number(call.request.headers['content-length'] ?? 0)
  if (!Number.isInteger(length) || length < 0 || length > 1024 * 1024)
    throw new EngineError('invalid_argument', 'the request body must have a Content-Length of at most 1 MiB')
  let bytes = call.upgrade.head
  const { socket } = call.upgrade
  while (bytes.length < length) {
    const chunk = await new Promise<Buffer>((resolve, reject) => {
      const settle = (action: () => void) => () => {
        socket.off('readable', onReadable)
        socket.off('end', onEnd)
        socket.off('error', onEnd)
        action()
      }
      const onReadable = () => {
        const read = socket.read() as Buffer | null
        if (read) settle(() => resolve(read))()
      }
      const onEnd = settle(() => reject(new EngineError('cancelled', 'the client went away before its request was complete')))
      socket.on('readable', onReadable)
      socket.once('end', onEnd)
      socket.once('error', onEnd)
      onReadable()
    })
    bytes = Buffer.concat([bytes, chunk])
  }
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) }
}

async function startExec(call: Call): Promise<void> {
  const execId = call.params[0] as string
  const { body, rest } = call.upgrade ? await takeBody(call) : { body: await readBody(call), rest: Buffer.alloc(0) }
  checkContentType(call, body)
  if (body.length === 0) throw new EngineError('invalid_argument', 'invalid JSON: got EOF while reading request body')
  const fields = new Fields(parseObject(body))
  const exec = call.engine.containers.inspectExec(execId)
  if (fields.bool('Detach')) {
    await call.engine.containers.startExec(execId)
    if (call.upgrade) {
      call.upgrade.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      return
    }
    sendEmpty(call, 200)
    return
  }
  const { options } = exec
  // Docker frames the output as the start says, whatever the exec was made as.
  const plain = fields.bool('Tty')
  const console = fields.raw('ConsoleSize')
  const size =
    Array.isArray(console) && console.length === 2 && console.every((value) => Number.isInteger(value) && value > 0 && value <= 1000)
      ? { rows: console[0] as number, cols: console[1] as number }
      : undefined
  const connection = new RawConnection(call, rest)
  await pump(
    connection,
    {
      terminal: options.terminal,
      plain,
      stdin: options.attachStdin,
      stdout: options.attachStdout,
      stderr: options.attachStderr,
      replay: false,
      detachKeys: detachKeysOf(call, options.detachKeys),
    },
    async (attachOptions, listener) => {
      // The head goes out before the process is made: docker-py reads a head through a buffer, and what arrives together with it is lost to its caller.
      const attachment = await startOrSay(call, connection, execId, plain, {
        options: attachOptions,
        size,
        listener,
        accepted: () => connection.open(plain),
      })
      if (!attachment) throw new EngineError('internal', `exec ${execId} started without a connection to it`)
      return attachment
    },
  ).catch((error: unknown) => {
    if (!(error instanceof Said)) throw error
  })
}

class Said extends Error {}

/**
 * A command that cannot start was accepted all the same: Docker takes the connection over, says why on it, and the exec has an exit status (126, 127). Anything
 * else that fails is an error of the request.
 */
async function startOrSay(
  call: Call,
  connection: RawConnection,
  execId: string,
  plain: boolean,
  attach: Parameters<Call['engine']['containers']['startExec']>[1],
): Promise<Attachment | null> {
  try {
    return await call.engine.containers.startExec(execId, attach)
  } catch (error) {
    if (call.engine.containers.inspectExec(execId).exitCode === null) throw error
    const { message } = failure(error).body
    const text = Buffer.from(`${message}\r\n`)
    if (!connection.opened) connection.open(plain)
    connection.write(plain ? text : Buffer.concat([frameHeader(1, text.length), text]), () => undefined)
    connection.end(false)
    throw new Said(message, { cause: error })
  }
}

async function inspectExec(call: Call): Promise<void> {
  const exec = call.engine.containers.inspectExec(call.params[0] as string)
  const [entrypoint = '', ...args] = exec.options.cmd
  const user = exec.options.user || (await call.engine.containers.inspect(exec.containerId)).effective.user
  sendJson(call, 200, {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: exec.options.terminal,
      entrypoint,
      arguments: args,
      privileged: exec.options.privileged,
      ...(user ? { user } : {}),
    },
    OpenStdin: exec.options.attachStdin,
    OpenStderr: exec.options.attachStderr,
    OpenStdout: exec.options.attachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: exec.options.detachKeys,
    Pid: exec.pid,
  })
}

async function resizeExec(call: Call): Promise<void> {
  const rows = integer(call.query, 'h')
  const cols = integer(call.query, 'w')
  if (rows === undefined || cols === undefined) throw new EngineError('invalid_argument', 'resize needs h and w, both whole numbers')
  await call.engine.containers.resizeExec(call.params[0] as string, cols, rows)
  sendEmpty(call, 200)
}

export const attachRoutes: readonly Route[] = [
  ['POST', /^\/containers\/([^/]+)\/attach$/, attach],
  ['POST', /^\/containers\/([^/]+)\/exec$/, createExec],
  ['POST', /^\/exec\/([^/]+)\/start$/, startExec],
  ['POST', /^\/exec\/([^/]+)\/resize$/, resizeExec],
  ['GET', /^\/exec\/([^/]+)\/json$/, inspectExec],
]
