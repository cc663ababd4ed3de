import { httpBatchLink, httpLink, splitLink, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'

/**
 * Questions of one tick travel together; a command goes alone, so that a slow `stop` holds nobody up, and so does a merged list, which the server answers from what it keeps only
 * when it is alone.
 */
export function linksTo<Router extends AnyTRPCRouter>(url: string): TRPCLink<Router>[] {
  // The transformer's type cannot be resolved for an open Router; both routers are known to have none.
  const options = { url } as unknown as Parameters<typeof httpLink<Router>>[0]
  return [
    splitLink({
      condition: (operation) => operation.type === 'mutation' || operation.path.startsWith('fleet.'),
      true: httpLink<Router>(options),
      false: httpBatchLink<Router>({ ...options, maxURLLength: 4000, maxItems: 20 } as Parameters<typeof httpBatchLink<Router>>[0]),
    }),
  ]
}
