/**
 * Packages that stay outside the agent's bundle (build.ts) and that its archive therefore carries (pack.ts): node-pty and re2-wasm have files of their own; undici and tar-stream
 * are CommonJS and loaded late, which a split bundle would give their default export alone. Of each, what it needs at run time.
 */
export const external: Record<string, readonly string[]> = {
  'node-pty': ['package.json', 'LICENSE', 'lib', 'build/Release/pty.node'],
  're2-wasm': ['package.json', 'LICENSE', 'build'],
  undici: ['package.json', 'LICENSE', 'index.js', 'lib'],
  'tar-stream': ['package.json', 'LICENSE', 'index.js', 'constants.js', 'extract.js', 'headers.js', 'pack.js'],
}
