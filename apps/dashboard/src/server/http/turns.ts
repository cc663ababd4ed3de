/**
 * Lets requests in one at a time, each in a turn of the event loop of its own. When something happens on ten hosts, twenty people ask for two hundred lists in the
 * same instant; answered in one go they would hold up every keystroke for a third of a second. Between two turns the loop reads what has come on other connections.
 */
export class Turns {
  private readonly waiting: (() => void)[] = []

  /** Resolves in this caller's turn, in the order of asking. Who is let in may take as long as it likes: nobody waits for its end. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      if (this.waiting.length === 1) setImmediate(this.next)
    })
  }

  private readonly next = (): void => {
    const first = this.waiting[0]
    // It leaves the queue in the next turn: as long as it stands there, take() starts no second round beside this one.
    setImmediate(this.leave)
    first?.()
  }

  private readonly leave = (): void => {
    this.waiting.shift()
    if (this.waiting.length > 0) this.next()
  }
}
