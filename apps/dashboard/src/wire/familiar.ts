/** A reference as people write it: `docker.io/library/busybox:latest` is `busybox:latest`. What is no reference stays as it is. */
export function familiarReference(reference: string): string {
  return reference.replace(/^docker\.io\/(?:library\/)?(?=[^/\s])/, '')
}
