import { isErrorCode, WireFailure } from './failure.ts'

/** Sends bytes to a data route. `onProgress` gets what has left the browser. Resolves to the id of the operation that goes on at the agent, if there is one. @throws WireFailure */
export function upload(
  url: string,
  method: 'PUT' | 'POST',
  body: Blob,
  options: { onProgress?: (sentBytes: number) => void; signal?: AbortSignal } = {},
): Promise<string | null> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest()
    request.open(method, url)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.onprogress = (event) => options.onProgress?.(event.loaded)
    request.onload = () => {
      if (request.status < 400) done(request.getResponseHeader('x-berth-operation'))
      else failed(failureIn(request.responseText, request.status))
    }
    request.onerror = () =>
      failed(
        new WireFailure({
          code: 'unavailable',
          message: 'The connection broke while bytes were being sent. Send them again.',
        }),
      )
    request.onabort = () => failed(new WireFailure({ code: 'cancelled', message: 'The upload was cancelled.' }))
    options.signal?.addEventListener('abort', () => request.abort(), { once: true })
    request.send(body)
  })
}

/** The error of a data route's answer. @returns a failure with the server's own sentence where it sent one */
export function failureIn(text: string, status: number): WireFailure {
  try {
    const value = JSON.parse(text) as { message?: unknown; code?: unknown; error?: { message?: unknown; code?: unknown } }
    const error = value.error ?? value
    if (typeof error.message === 'string') {
      const code = isErrorCode(error.code) ? error.code : 'internal'
      return new WireFailure({ code, message: error.message })
    }
  } catch {
    // Not JSON: the status alone.
  }
  return new WireFailure({ code: 'internal', message: `The server answered ${status}.` })
}

/** A small file as text. @throws WireFailure */
export async function downloadText(url: string): Promise<string> {
  const answer = await fetch(url)
  const text = await answer.text()
  if (!answer.ok) throw failureIn(text, answer.status)
  return text
}
