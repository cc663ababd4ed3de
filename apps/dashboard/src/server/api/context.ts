/** What a procedure of the dashboard's own router gets. */
export interface ApiContext {
  /** Whether the first account is still to be made. */
  setupNeeded(): Promise<boolean>
}
