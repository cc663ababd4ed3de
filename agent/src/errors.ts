import type { ErrorCode } from '@berth/contract/error'

/**
 * The one error of the engine. `message` is a sentence that names the thing and the next step; it is shown to people as it is and must
 * not contain a secret. Edges translate `code` by their own table; anything else that is thrown becomes `internal`.
 */
export class EngineError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'EngineError'
    this.code = code
  }
}

/** The code of anything thrown: an EngineError's own, `cancelled` for an abort, else `internal`. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof EngineError) return error.code
  if (error instanceof Error && error.name === 'AbortError') return 'cancelled'
  return 'internal'
}

/** The sentence of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A container's place in a network, or the lack of one, stands in the way: it is joined already, or the network still has containers. Nothing was changed. */
export class EndpointConflictError extends EngineError {
  constructor(message: string) {
    super('failed_precondition', message)
    this.name = 'EndpointConflictError'
  }
}

/** The process could not be started, and nothing is left of the attempt. `exitStatus` is 127 (no such command) or 126 (not executable) where that was the reason. */
export class StartError extends EngineError {
  readonly step: string
  readonly exitStatus: number | null
  constructor(code: ErrorCode, message: string, step: string, exitStatus: number | null) {
    super(code, message)
    this.name = 'StartError'
    this.step = step
    this.exitStatus = exitStatus
  }
}
