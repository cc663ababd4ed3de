/**
 * `docker build` of ten steps that are all in the cache: the docker command line on our engine against the same on dockerd's classic builder, same context, rounds interleaved.
 * Run as root: `npx tsx agent/test/bench/build-bench.ts [rounds]`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare } from './command-line.ts'
import { loadBusybox, type MeasuredEngine, removeEveryContainer, startBerth, startDockerd } from './engines.ts'

const rounds = Number(process.argv[2] ?? 15)

/** What an application's Dockerfile does: names things, copies files and directories, runs commands. Ten steps after FROM. */
const dockerfile = `FROM busybox:1
ENV LANG=C.UTF-8
WORKDIR /app
COPY package.json .
RUN echo installed > /app/modules
COPY src ./src
RUN cat /app/src/file-1.txt > /app/built
LABEL org.example.team=bench
RUN echo checked > /app/checked
USER 1000
CMD ["cat", "/app/built"]
`

/** @param files in the directory that is copied whole */
function makeContext(files: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-context-'))
  writeFileSync(join(folder, 'Dockerfile'), dockerfile)
  writeFileSync(join(folder, 'package.json'), '{"name":"bench"}\n')
  mkdirSync(join(folder, 'src'))
  for (let n = 1; n <= files; n++) writeFileSync(join(folder, 'src', `file-${n}.txt`), `${n} `.repeat(1000))
  return folder
}

const contexts = [1, 100].map((files) => ({ files, folder: makeContext(files) }))
const engines: MeasuredEngine[] = []
try {
  engines.push(await startBerth(), await startDockerd())
  for (const engine of engines) loadBusybox(engine)
  await compare('docker version', engines, rounds, null, 'version')
  // The first of each is the one that fills the cache; compare does not count it.
  // The goal is that of the steps; with a hundred files it is to see what each costs, of which the command line's packing is the greater part.
  for (const { files, folder } of contexts)
    await compare(
      `docker build, ten cached steps, ${files + 2} files`,
      engines,
      rounds,
      files === 1 ? 0.5 : null,
      'build',
      '-q',
      '-t',
      'built:1',
      folder,
    )
} finally {
  for (const { folder } of contexts) rmSync(folder, { recursive: true, force: true })
  for (const engine of engines) {
    await removeEveryContainer(engine)
    await engine.stop()
  }
}
