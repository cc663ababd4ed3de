import type { Socket } from 'socket.io'

/** Packets that wait for one browser's connection before what can be dropped or resumed is no longer sent. */
const mostPackets = 512
/** Bytes that wait for one browser; one that stops reading altogether is cut off at this. */
const mostBytes = 8 * 1024 * 1024

interface Transport {
  /** What engine.io holds until the WebSocket has passed on what came before. */
  writeBuffer: { data?: string | Uint8Array }[]
  transport?: { socket?: { bufferedAmount?: number } }
}

// biome-ignore lint/suspicious/noExplicitAny: any event map will do
type AnySocket = Socket<any, any>

/** Whether this browser reads slower than we write. */
export function isBehind(socket: AnySocket): boolean {
  const connection = socket.conn as unknown as Transport
  return connection.writeBuffer.length > mostPackets || bufferedBytes(socket) > mostBytes / 2
}

/** Whether so much waits that the connection is given up. */
export function isStuck(socket: AnySocket): boolean {
  const { writeBuffer } = socket.conn as unknown as Transport
  let waiting = bufferedBytes(socket)
  for (const { data } of writeBuffer) waiting += data?.length ?? 0
  return waiting > mostBytes
}

function bufferedBytes(socket: AnySocket): number {
  return (socket.conn as unknown as Transport).transport?.socket?.bufferedAmount ?? 0
}
