import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type BuildOptions, buildOptions } from '@berth/contract/build'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine, type TestEngine, testConfig } from '../../test/engine.ts'

const config = testConfig()
let engine: TestEngine
beforeAll(async () => {
  engine = await openTestEngine(config)
})
afterAll(() => engine?.destroy())

/** A context archive; a name that ends in `@` is a link to the content, one in `*` is executable. */
function contextOf(files: Record<string, string>, ...tarArgs: string[]): Buffer {
  const directory = mkdtempSync('/var/tmp/berth-context-')
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(directory, name.replace(/[@*]$/, ''))
      mkdirSync(dirname(path), { recursive: true })
      if (name.endsWith('@')) symlinkSync(content, path)
      else writeFileSync(path, content)
      if (name.endsWith('*')) chmodSync(path, 0o755)
    }
    return execFileSync('tar', ['-C', directory, ...tarArgs, '-cf', '-', '.'])
  } finally {
    rmSync(directory, { recursive: true })
  }
}

interface Built {
  id: string
  text: string
}

async function build(dockerfile: string, files: Record<string, string> = {}, options: Partial<BuildOptions> = {}): Promise<Built> {
  return buildContext(contextOf({ Dockerfile: dockerfile, ...files }), options)
}

async function buildContext(
  context: Buffer,
  options: Partial<BuildOptions> = {},
  onText?: (text: string, cancel: () => void) => void,
): Promise<Built> {
  let text = ''
  const { operation, done } = engine.operations.start({ kind: 'build', subject: 'test', startedBy: 'test' }, (given) =>
    engine.builder.build(
      Readable.from([context]),
      buildOptions.parse(options),
      {},
      {
        ...given,
        progress(line) {
          text += line.text ?? ''
          onText?.(text, () => engine.operations.cancel(operation.id))
        },
      },
    ),
  )
  const { id } = await done
  return { id, text }
}

const inImage = async (image: string, script: string) =>
  (await engine.output({ image, cmd: ['/bin/sh', '-c', script], entrypoint: [], networkMode: 'none', user: '0' })).stdout

function leftBehind(): string[] {
  return [...readdirSync(join(config.dataRoot, 'build/work')), ...readdirSync(join(config.dataRoot, 'snapshots/a'))]
}

describe('a build', () => {
  it('runs, copies, adds, configures, and tells it in the classic words', async () => {
    const { id, text } = await build(
      `ARG TAG=1
FROM busybox:\${TAG} AS base
ARG WHO=world
ENV GREETING="hi $WHO" \\
    # in between
    OTHER='$WHO'
RUN echo "$GREETING $OTHER" > /greeting && echo to-out && echo to-err >&2
WORKDIR /work/dir
COPY *.txt ./
COPY --chown=daemon:tty --chmod=640 a.txt /owned
ADD archive.tar /unpacked
COPY <<EOF <<"RAW" /here/
value=$GREETING
EOF
kept=$GREETING
RAW
RUN <<EOF
cat /greeting
ls /work/dir
EOF
USER daemon
EXPOSE 80
ENTRYPOINT ["/bin/cat"]
CMD ["/greeting"]`,
      { 'a.txt': 'a', 'b.txt': 'b', 'c.log': 'c', 'archive.tar': contextOf({ 'in/side': 'archived' }).toString('latin1') },
      { tags: ['built:1', 'built:latest'], buildArgs: { WHO: 'berth', UNUSED: 'x' }, labels: { 'a b': "it's" } },
    )
    const lines = text.split('\n')
    expect(lines[0]).toBe('Step 1/16 : ARG TAG=1')
    expect(lines).toEqual(
      expect.arrayContaining(['to-out', 'to-err', 'hi berth $WHO', '[Warning] One or more build-args [UNUSED] were not consumed']),
    )
    expect(text).toMatch(/ ---> Running in [0-9a-f]{12}\n[\s\S]*Removing intermediate container [0-9a-f]{12}\n ---> [0-9a-f]{12}\n/)
    expect(lines.slice(-4)).toEqual([
      `Successfully built ${id.slice(7, 19)}`,
      'Successfully tagged built:1',
      'Successfully tagged built:latest',
      '',
    ])
    expect(await inImage('built:1', 'cd /work/dir; echo *; cat /unpacked/in/side /here/EOF /here/RAW; stat -c "%u:%g %a" /owned')).toBe(
      'a.txt b.txt\narchivedvalue=hi berth\nkept=$GREETING\n1:5 640\n',
    )
    expect((await engine.images.inspect('built:1')).config).toMatchObject({
      user: 'daemon',
      workingDir: '/work/dir',
      entrypoint: ['/bin/cat'],
      cmd: ['/greeting'],
      exposedPorts: ['80/tcp'],
      labels: { 'a b': "it's" },
    })
    expect((await engine.output({ image: 'built:1', networkMode: 'none', user: '0' })).stdout).toBe('hi berth $WHO\n')
    await expect.poll(leftBehind).toEqual([])
  })

  it('builds stages side by side, only those that are needed, and copies between them', async () => {
    const { text } = await build(
      `FROM busybox:1 AS one
RUN mkdir -p /out/d && echo 1 > /out/d/f && ln -s d/f /out/link
FROM busybox:1 AS two
RUN echo 2 > /two
FROM busybox:1 AS unused
RUN exit 1
FROM busybox:1
COPY --from=one /out /from-one
COPY --from=two /two* /from-two/
COPY --from=busybox:1 /etc/passwd /passwd
RUN --mount=type=bind,from=one,source=/out,target=/mnt cat /mnt/link`,
      {},
      { tags: ['stages'] },
    )
    expect(text).not.toContain('unused')
    expect(text).toContain('Step 9/9')
    expect(await inImage('stages', 'cat /from-one/link /from-two/two; readlink /from-one/link; head -c4 /passwd; ls -d /mnt 2>&1')).toBe(
      '1\n2\nd/f\nrootls: /mnt: No such file or directory\n',
    )
  })

  it('mounts caches, secrets and memory for one step and leaves nothing of them in the layer', async () => {
    const dockerfile = (step: string) => `FROM busybox:1
RUN --mount=type=cache,target=/cache --mount=type=secret,id=key --mount=type=tmpfs,target=/scratch \\
    cat /run/secrets/key > /scratch/copy; echo x >> /cache/log; wc -l < /cache/log > /count; echo ${step}`
    await build(dockerfile('1'), {}, { tags: ['mounted'], secrets: { key: 'hush' } })
    await build(dockerfile('2'), {}, { tags: ['mounted'], secrets: { key: 'hush' } })
    expect(await inImage('mounted', 'cat /count; ls -d /cache /scratch /run/secrets 2>/dev/null; grep -r hush /count /etc; true')).toBe(
      '2\n',
    )
    const mount = (await engine.builder.cacheUsage()).find(({ description }) => description === 'cache mount /cache')
    expect(mount).toMatchObject({ usageCount: 1, inUse: false })
    expect((await engine.builder.pruneCache({ all: false, dryRun: false })).removed).toContain(mount?.id)
  })

  it('starts from nothing, runs triggers, and takes a lone Dockerfile', async () => {
    await build('FROM scratch\nCOPY f /f\nENV A=b\nONBUILD RUN echo never', { f: 'x' }, { tags: ['scratch-made'] })
    expect(await engine.images.inspect('scratch-made')).toMatchObject({ config: { env: expect.arrayContaining(['A=b']) } })
    await build('FROM busybox:1\nONBUILD COPY f /triggered\nONBUILD RUN cat /triggered', { f: 'x' }, { tags: ['parent'] })
    const { text } = await build('FROM parent\nRUN true', { f: 'from-trigger' }, { tags: ['child'] })
    expect(text).toMatch(/# Executing 2 build triggers\n[\s\S]*from-trigger/)
    expect((await engine.images.inspect('child')).config.onBuild).toEqual([])
    expect((await buildContext(Buffer.from('FROM busybox:1\nRUN echo lone > /lone'), { tags: ['lone'] })).id).toMatch(/^sha256:/)
  })

  it('applies .dockerignore and downloads what ADD names', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/file.txt' }).end()
      else if (request.url === '/file.txt') response.writeHead(200, { 'last-modified': 'Mon, 02 Jan 2006 15:04:05 GMT' }).end('downloaded')
      else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await build(
        `FROM busybox:1\nCOPY . /all\nADD ${url}/moved /got`,
        { '.dockerignore': '*\n!keep*\nkeep.not', keep: '1', 'keep.not': '2', 'd/x': '3', 'keepd/y': '4' },
        { tags: ['ignoring'] },
      )
      expect(await inImage('ignoring', 'cd /all; find . -type f | sort; cat /got; stat -c " %a %Y" /got')).toBe(
        './keep\n./keepd/y\ndownloaded 600 1136214245\n',
      )
      await expect(build(`FROM busybox:1\nADD ${url}/nothing /x`)).rejects.toMatchObject({ message: expect.stringContaining('status 404') })
    } finally {
      server.close()
    }
  })
})

describe('the cache', () => {
  const dockerfile = 'FROM busybox:1\nARG A=1\nRUN echo first\nCOPY f /f\nRUN echo "second $A"'
  const cachedSteps = (text: string) => text.split(' ---> Using cache').length - 1

  it('is keyed by content, and by build arguments where they count', async () => {
    await build(dockerfile, { f: '1', other: 'x' })
    expect(cachedSteps((await build(dockerfile, { f: '1', other: 'y' })).text)).toBe(4)
    expect(cachedSteps((await build(dockerfile, { f: '2', other: 'y' })).text)).toBe(2)
    expect(cachedSteps((await build(dockerfile, { f: '1' }, { buildArgs: { A: '2' } })).text)).toBe(1)
    expect(cachedSteps((await build(dockerfile, { f: '1' }, { noCache: true })).text)).toBe(0)
  })

  it('is keyed by content for files of another stage too, which may have been built anew', async () => {
    const stages = (note: string) => `FROM busybox:1 AS made
RUN echo same > /same; echo ${note}
FROM busybox:1
COPY --from=made /same /same
RUN echo after`
    const { id } = await build(stages('one'))
    const again = await build(stages('two'))
    expect([again.id, cachedSteps(again.text)]).toEqual([id, 2])
    expect((await build('FROM busybox:1\nEXPOSE 80 90')).id).toBe((await build('FROM busybox:1\nEXPOSE 90 80')).id)
  })

  it('answers the next build at once', async () => {
    const steps = `FROM busybox:1\n${Array.from({ length: 12 }, (_, at) => `ENV AT${at}=${Date.now()}\n`).join('')}`
    const { id } = await build(steps)
    expect((await build(steps)).id).toBe(id)
  })

  it('survives the agent, and not its images', async () => {
    const { id } = await build(dockerfile, { f: 'again' }, { tags: ['kept'] })
    await engine.reopen()
    const again = await build(dockerfile, { f: 'again' })
    expect([again.id, cachedSteps(again.text)]).toEqual([id, 4])
    await engine.images.remove('kept', { force: false, prune: true })
    expect(cachedSteps((await build(dockerfile, { f: 'again' })).text)).toBeLessThan(4)
  })

  it('keeps the steps before one that fails', async () => {
    const failing = 'FROM busybox:1\nRUN echo kept-step\nRUN echo before; exit 9'
    await expect(build(failing)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: "The command '/bin/sh -c echo before; exit 9' returned a non-zero code: 9",
    })
    await expect.poll(leftBehind).toEqual([])
    expect(cachedSteps((await build(failing.replace('exit 9', 'true'))).text)).toBe(1)
  })
})

describe('files', () => {
  it('keep their owners from an image, are root’s from the context, and follow links of the image', async () => {
    await build(
      `FROM busybox:1 AS one
RUN mkdir -p /o/d && echo 1 > /o/d/f && chown -R 3:4 /o
FROM busybox:1
RUN ln -s /real /link; ln -s /real-file /file-link
COPY --from=one /o /kept
COPY --from=one --chown=5:6 /o /given
COPY --from=one /o/*/f /wild/
COPY f /link/
COPY f /file-link`,
      { f: 'x' },
      { tags: ['owners'] },
    )
    expect(await inImage('owners', 'stat -c "%u:%g %n" /kept/d/f /given/d/f /wild/f /wild /real/f /real-file')).toBe(
      '3:4 /kept/d/f\n5:6 /given/d/f\n3:4 /wild/f\n0:0 /wild\n0:0 /real/f\n0:0 /real-file\n',
    )
  })

  it('come from context, URL and repository in one instruction, and the context itself from elsewhere', async () => {
    const directory = mkdtempSync('/var/tmp/berth-web-')
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', directory, '-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'init.defaultBranch=main', ...args])
    writeFileSync(join(directory, 'file.txt'), 'downloaded')
    writeFileSync(join(directory, 'context.tar'), contextOf({ Dockerfile: 'FROM busybox:1\nRUN echo from-tar', f: 'x' }))
    git('init', '-q', 'work')
    mkdirSync(join(directory, 'work/sub'))
    writeFileSync(join(directory, 'work/sub/Dockerfile'), 'FROM busybox:1\nCOPY . /c\nRUN echo from-git; ls -a /c')
    git('-C', 'work', 'add', '.')
    git('-C', 'work', 'commit', '-q', '-m', 'one')
    git('clone', '-q', '--bare', 'work', 'repo.git')
    git('-C', 'repo.git', 'update-server-info')
    const server = createServer((request, response) => {
      const path = join(directory, decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname))
      readFile(path).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const digest = createHash('sha256').update('downloaded').digest('hex')
      await build(
        `FROM busybox:1\nADD f ${url}/file.txt ${url}/repo.git /all/\nADD --checksum=sha256:${digest} ${url}/file.txt /c`,
        { f: 'x' },
        { tags: ['mixed'] },
      )
      expect(await inImage('mixed', 'cd /all; find . -type f | sort')).toBe('./f\n./file.txt\n./sub/Dockerfile\n')
      await expect(build(`FROM busybox:1\nADD --checksum=sha256:${'0'.repeat(64)} ${url}/file.txt /c`)).rejects.toThrow('digest mismatch')
      expect((await buildContext(Buffer.alloc(0), { remote: `${url}/context.tar` })).text).toContain('\nfrom-tar\n')
      expect((await buildContext(Buffer.alloc(0), { remote: `${url}/repo.git#main:sub` })).text).toContain(
        '\nfrom-git\n.\n..\nDockerfile\n',
      )
      await expect(buildContext(Buffer.alloc(0), { remote: `${url}/repo.git#nothing` })).rejects.toThrow('cannot fetch')
      await expect(buildContext(Buffer.alloc(0), { remote: '/etc/passwd' })).rejects.toThrow('neither a URL nor a repository')
    } finally {
      server.close()
      rmSync(directory, { recursive: true })
    }
    await expect.poll(leftBehind).toEqual([])
  })

  it('stay behind in the ended containers when the caller wants to look at them', async () => {
    await build(
      'FROM busybox:1\nRUN echo 1 > /made',
      {},
      { keepContainers: true, labels: { look: 'here' }, ulimits: [{ name: 'nofile', soft: 42, hard: 43 }] },
    )
    const kept = await engine.containers.list({ all: true, filters: { label: ['look=here'] }, limit: 0, size: false })
    expect(kept.map(({ state }) => state.status)).toEqual(['exited'])
    for (const { id } of kept) await engine.containers.remove(id, { force: true, volumes: true })
    expect((await build('FROM busybox:1\nRUN echo 1 > /made')).text).toContain('Using cache')
  })
})

describe('bad input', () => {
  it.each([
    ['FROM busybox:1\nCOPY noth* /x', 'COPY failed: no source files were specified'],
    [
      'FROM busybox:1\nCOPY nothing /x',
      'COPY failed: file not found in build context or excluded by .dockerignore: stat nothing: file does not exist',
    ],
    ['FROM busybox:1\nCOPY ../etc/passwd /x', 'forbidden path outside the build context'],
    ['FROM busybox:1\nCOPY --chown=stranger f /x', 'unable to find user stranger'],
    ['FROM busybox:1\nCOPY --from=127.0.0.1:1/none:0 /a /b', '127.0.0.1:1'],
    ['FROM busybox:1\nRUN --mount=type=secret,id=k,required=true true', 'secret k: not found'],
    ['FROM busybox:1\nADD https://[bad /x', 'Invalid URL'],
    ['FROM busybox:1\nCOPY --from=0 /a /b', 'invalid from flag value 0: refers to current build stage'],
    ['FROM busybox:1\nRUN --mount=type=ssh,required=true x', 'no agent is forwarded'],
    ['FROM busybox:1\nADD git@host:a.git /x', 'ssh needs keys'],
  ])('%j', async (dockerfile, message) => {
    await expect(build(dockerfile, { f: 'x' })).rejects.toThrow(message)
    await expect.poll(leftBehind).toEqual([])
  })

  it('cannot read the host through links of the context', async () => {
    await expect(build('FROM busybox:1\nCOPY link /x', { 'link@': '/etc/hostname' })).rejects.toThrow('file not found in build context')
    await expect(build('FROM busybox:1\nCOPY d/hostname /x', { 'd@': '/etc' })).rejects.toThrow('file not found in build context')
    await expect(build('FROM busybox:1\nRUN --mount=target=/m,source=link cat /m', { 'link@': '/etc/hostname' })).rejects.toThrow(
      'not in the build context',
    )
    await expect(buildContext(contextOf({ 'Dockerfile@': '/etc/hostname' }))).rejects.toThrow('symbolic link')
    await build(
      'FROM busybox:1\nCOPY link /x\nCOPY . /all',
      { 'link@': 'd/f', 'd/f': 'inside', 'out@': '/etc/hostname' },
      { tags: ['links'] },
    )
    expect(await inImage('links', 'cat /x; readlink /all/out')).toBe('inside/etc/hostname\n')
  })

  it('cannot write outside the image through links of the image', async () => {
    await build(
      'FROM busybox:1\nRUN mkdir -p /var/tmp && ln -s /../../../../../../../../var/tmp /out\nCOPY f /out/berth-escaped',
      { f: 'x' },
      { tags: ['escape'] },
    )
    expect(readdirSync('/var/tmp')).not.toContain('berth-escaped')
    expect(await inImage('escape', 'cat /var/tmp/berth-escaped')).toBe('x')
  })

  it('refuses a hostile archive and a wrong Dockerfile name', async () => {
    await expect(
      buildContext(contextOf({ Dockerfile: 'FROM busybox:1' }, '--transform=s,^./Dockerfile,../escaped,', '-P')),
    ).rejects.toThrow('leads out')
    await expect(build('FROM busybox:1', {}, { dockerfile: 'Other' })).rejects.toThrow('Cannot locate specified Dockerfile: Other')
    await expect(build('FROM busybox:1', {}, { tags: ['Bad Tag'] })).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

it('is cancelled in the middle of a step, and nothing of it runs on', async () => {
  const context = contextOf({ Dockerfile: 'FROM busybox:1\nRUN echo begun; sleep 300' })
  await expect(
    buildContext(context, {}, (text, cancel) => {
      if (text.includes('\nbegun')) cancel()
    }),
  ).rejects.toMatchObject({ code: 'cancelled' })
  expect(await engine.containers.list({ all: true, filters: {}, limit: 0, size: false })).toEqual([])
  await expect.poll(leftBehind).toEqual([])
})
