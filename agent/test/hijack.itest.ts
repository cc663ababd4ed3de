/** Connections that are taken over, seen byte by byte, and docker-py, which reads a head through a buffer that nobody empties afterwards. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { dockerSuite } from './docker.ts'

const { host } = dockerSuite()

/** What one request with `Upgrade: tcp` brings, in the pieces in which it came, until the engine ends it. */
function upgraded(path: string, { began, half = false }: { began?: () => void; half?: boolean } = {}): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const pieces: string[] = []
    const socket = connect({ path: host().socket, allowHalfOpen: true }, () => {
      const head = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
      socket.write(`POST ${path} HTTP/1.1\r\n${head}`)
      if (half) socket.end()
    })
    socket.on('data', (bytes) => {
      if (pieces.push(bytes.toString('latin1')) === 1) began?.()
    })
    socket.once('end', () => {
      socket.end()
      resolve(pieces)
    })
    socket.once('error', reject)
  })
}

const bodyOf = (pieces: string[]) => {
  const all = pieces.join('')
  return all.slice(all.indexOf('\r\n\r\n') + 4)
}

it('gives docker-py what an exec says, every time', async () => {
  const script = `
import docker
client = docker.DockerClient(base_url='unix://${host().socket}')
container = client.containers.run('bb:1', 'sleep 1000', detach=True)
said = [container.exec_run(['echo', str(turn)]).output for turn in range(30)]
container.remove(force=True)
print(b''.join(said).decode().split())
`
  const outcome = await host().sh('/usr/bin/python3 -W ignore -', { input: script })
  expect(outcome.stdout, outcome.stderr).toBe(`[${[...Array(30).keys()].map((turn) => `'${turn}'`).join(', ')}]\n`)
})

it('frames, refuses and tells as docker-py knows it', async () => {
  const script = `
import docker
api = docker.APIClient(base_url='unix://${host().socket}', version='1.41')
made = api.create_container('bb:1', 'sleep 1000', name='known', user='daemon')['Id']
api.start(made)
terminal = api.exec_create(made, 'tty', tty=True)['Id']
print(api.exec_start(terminal))
print(b'has already run' in api.exec_start(terminal))
print(api.exec_inspect(terminal)['ProcessConfig']['user'])
def refused(call):
    try: print('accepted', call())
    except docker.errors.APIError as error: print(error.response.status_code)
print([sorted(line) for line in api.load_image(b'garbage')])
refused(lambda: list(api.build(fileobj=__import__('io').BytesIO(b'FOO'), decode=True)))
network = api.create_network('knownnet')['Id']
api.connect_container_to_network(made, network)
refused(lambda: api.connect_container_to_network(made, network))
refused(lambda: api.remove_network(network))
api.kill(made)
print(api.wait(made))
api.remove_container(made)
api.remove_network(network)
`
  const outcome = await host().sh('/usr/bin/python3 -W ignore -', { input: script })
  expect(outcome.stdout, outcome.stderr).toBe(
    "b'/dev/pts/0\\r\\n'\nTrue\ndaemon\n[['error', 'errorDetail']]\n400\n403\n403\n{'Error': None, 'StatusCode': 137}\n",
  )
})

it('passes on an input that was closed before anything was said', async () => {
  const { stdout } = await host().sh('docker run -d --name closing bb:1 sleep 1000')
  try {
    const create = `{"Cmd":["sh","-c","cat && echo end"],"AttachStdin":true,"AttachStdout":true}`
    const curl = `curl -s --unix-socket ${host().socket} -H 'Content-Type: application/json'`
    const made = await host().sh(`${curl} -d '${create}' http://x/v1.41/containers/${stdout.trim()}/exec`)
    const { Id } = JSON.parse(made.stdout) as { Id: string }
    const pieces = await upgraded(`/v1.41/exec/${Id}/start`, { half: true })
    expect(bodyOf(pieces)).toBe('\x01\0\0\0\0\0\0\x04end\n')
  } finally {
    await host().sh('docker rm -f closing')
  }
})

it('repeats the log of a container that has ended, and ends without a stream', async () => {
  await host().sh("docker run --name logged bb:1 sh -c 'echo out; echo err >&2'; docker create --name mute --log-driver none bb:1 true")
  try {
    const attach = (name: string, query: string) => upgraded(`/v1.41/containers/${name}/attach?${query}`).then(bodyOf)
    const [out, err] = ['\x01\0\0\0\0\0\0\x04out\n', '\x02\0\0\0\0\0\0\x04err\n']
    // Two pipes: which of them came first is not to be known.
    expect([out + err, err + out]).toContain(await attach('logged', 'logs=1&stdout=1&stderr=1'))
    expect(await attach('logged', 'logs=1&stderr=1')).toBe('\x02\0\0\0\0\0\0\x04err\n')
    expect(await attach('logged', 'stdout=1&stderr=1')).toBe('')
    expect(await attach('mute', 'logs=1&stdout=1')).toBe('Error attaching: configured logging driver does not support reading\n')
  } finally {
    await host().sh('docker rm -f logged mute')
  }
})

it('repeats the log before what the next start says', async () => {
  await host().sh('docker run --name again bb:1 echo line')
  try {
    let started: Promise<unknown> = Promise.resolve()
    const pieces = await upgraded('/v1.41/containers/again/attach?logs=1&stdout=1&stream=1', {
      began: () => {
        started = host().sh('docker start again')
      },
    })
    await started
    expect(bodyOf(pieces)).toBe('\x01\0\0\0\0\0\0\x05line\n'.repeat(2))
  } finally {
    await host().sh('docker rm -f again')
  }
})

it('resizes an exec that was only just begun, before there is a process', async () => {
  const script = `docker run -d --name wide bb:1 sleep 1000 >/dev/null
    curl -s --unix-socket ${host().socket} -H 'Content-Type: application/json' -d '{"Tty":true,"AttachStdout":true,"Cmd":["sh","-c","sleep 0.5; stty size"]}' http://x/containers/wide/exec`
  for (let turn = 0; turn < 5; turn++) {
    const { Id } = JSON.parse((await host().sh(turn === 0 ? script : (script.split('\n')[1] as string))).stdout) as { Id: string }
    let resized: Promise<number | undefined> | undefined
    const pieces = await upgraded(`/exec/${Id}/start`, {
      began: () => {
        resized = new Promise((resolve, reject) => {
          const path = `/exec/${Id}/resize?h=33&w=111`
          request({ socketPath: host().socket, method: 'POST', path }, (answer) => resolve(answer.resume().statusCode))
            .on('error', reject)
            .end()
        })
      },
    })
    expect(await resized).toBe(200)
    expect(bodyOf(pieces)).toContain('33 111')
  }
  await host().sh('docker rm -f wide')
})
