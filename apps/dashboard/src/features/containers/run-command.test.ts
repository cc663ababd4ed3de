import { containerOptions } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { quoteWord, splitWords } from '../../ui/shell-words'
import { emptyForm, fillForm, readForm } from './form-values'
import { parseRunCommand } from './parse-run-command'
import { runCommand, updateCommand } from './run-command'
import { parsePorts, parseVolume } from './run-places'

describe('shell words', () => {
  it('reads quotes, backslashes and continued lines as a shell does', () => {
    expect(splitWords(`docker run \\\n  -e 'A=b c' -e "D=\\"e\\"" --label x=\\ y # the end\nimage`)).toEqual([
      'docker',
      'run',
      '-e',
      'A=b c',
      '-e',
      'D="e"',
      '--label',
      'x= y',
      'image',
    ])
    expect(splitWords(`a '' b`)).toEqual(['a', '', 'b'])
    expect(() => splitWords(`a 'b`)).toThrow('not closed')
  })
  it('writes a word that is read back as it was', () => {
    for (const word of ['plain', "it's", 'a b', '$HOME', '', '*', 'a\nb', '"']) expect(splitWords(quoteWord(word))).toEqual([word])
  })
})

describe('a docker run line', () => {
  it('fills the options', () => {
    const { name, options, pull, ignored } = parseRunCommand(
      'sudo docker run -dit --rm=false --name web -p 8080:80 -p127.0.0.1::53/udp -v data:/var/lib -v /etc/x:/x:ro,rslave -eA=1 --memory=512m --cpus 1.5 --network front --network-alias w --ip 10.1.0.9 --restart on-failure:3 --health-cmd "true || false" --health-interval 1m30s --sig-proxy=true --pull always nginx:1 nginx -g "daemon off;"',
    )
    expect({ name, pull, ignored }).toEqual({ name: 'web', pull: 'always', ignored: ['--sig-proxy'] })
    expect(options).toMatchObject({
      image: 'nginx:1',
      cmd: ['nginx', '-g', 'daemon off;'],
      openStdin: true,
      terminal: true,
      autoRemove: false,
      env: ['A=1'],
      networkMode: 'front',
      networks: { front: { aliases: ['w'], ipv4: '10.1.0.9' } },
      restart: { name: 'on-failure', maximumRetryCount: 3 },
      healthcheck: { test: ['CMD-SHELL', 'true || false'], intervalMs: 90_000 },
    })
    expect(options.limits).toMatchObject({ memoryBytes: 512 * 1024 ** 2, nanoCpus: 1_500_000_000 })
    expect(options.mounts).toMatchObject([
      { type: 'volume', source: 'data', target: '/var/lib' },
      { type: 'bind', source: '/etc/x', target: '/x', readOnly: true, propagation: 'rslave' },
    ])
    expect(options.ports).toEqual([
      { containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 },
      { containerPort: 53, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0 },
    ])
  })

  it('is the same after being written and read again', () => {
    const line =
      'docker run -it --name a --rm --restart always --hostname h --user 1:2 --workdir /w -e A=b --label k=v --entrypoint /bin/sh --stop-signal INT --stop-timeout 3 --init --read-only --log-driver local --log-opt max-size=1m --memory 1g --memory-swap -1 --cpuset-cpus 0-1 --device-read-bps /dev/sda:1m --pids-limit 9 --network n --network-alias x -p 1:2 -p [::1]:5:6/udp --dns 1.1.1.1 --add-host a:1.2.3.4 -v v:/v:nocopy --mount type=bind,source=/s,target=/t,readonly --tmpfs /tmp:size=64m --no-healthcheck --privileged --cap-add NET_ADMIN --device /dev/null:/dev/n:r --ulimit nofile=10:20 --sysctl a.b=c --pid host --shm-size 128m --gpus all busybox:1 -c "echo $X"'
    const first = parseRunCommand(line)
    const second = parseRunCommand(runCommand(first.name, first.options))
    expect(second.options).toEqual(first.options)
    expect(second.name).toBe('a')
  })

  it('names the flag that is wrong', () => {
    expect(() => parseRunCommand('docker ps')).toThrow('docker run')
    expect(() => parseRunCommand('docker run --memry 1g x')).toThrow('--memry')
    expect(() => parseRunCommand('docker run -m lots x')).toThrow('512m')
    expect(() => parseRunCommand('docker run -p 80:x y')).toThrow('-p')
    expect(() => parseRunCommand('docker run -it')).toThrow('no image')
    expect(() => parseRunCommand('docker run --name')).toThrow('needs a value')
    expect(() => parseRunCommand('docker run -v ./x:/y z')).toThrow('absolute')
  })

  it('says what means nothing here', () => {
    expect(parseRunCommand('docker run -d --cidfile /x --env-file .env a').ignored).toEqual(['--cidfile /x', '--env-file .env'])
  })

  it('reads ports in every form', () => {
    expect(parsePorts('80')).toEqual([{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 0 }])
    expect(parsePorts('8000-8001:80-81')).toMatchObject([
      { hostPort: 8000, containerPort: 80 },
      { hostPort: 8001, containerPort: 81 },
    ])
    expect(parsePorts('8000-8010:80')).toEqual([{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8000, hostPortEnd: 8010 }])
    expect(parsePorts('0.0.0.0:1:2/sctp')).toEqual([{ containerPort: 2, protocol: 'sctp', hostIp: '0.0.0.0', hostPort: 1 }])
    expect(() => parsePorts('1-2:3-9')).toThrow('equally long')
  })

  it('makes a volume without a name of a lone path', () => {
    expect(parseVolume('/data')).toMatchObject({ type: 'volume', source: '', target: '/data' })
  })

  it('breaks a long line and leaves out what is not set', () => {
    expect(runCommand(undefined, containerOptions.parse({ image: 'redis:7' }))).toBe('docker run -d redis:7')
    expect(updateCommand('web', { memoryBytes: 1024 ** 3, nanoCpus: 5e8 })).toBe('docker update --memory 1g --cpus 0.5 web')
  })
})

describe('the form', () => {
  it('says the same as the line that filled it', () => {
    const line =
      'docker run -it --name a --restart on-failure:2 --hostname h --user 1:2 -e A=b -e "C=d e" --label k=v --init --read-only --memory 1g --cpus 0.5 --device-read-bps /dev/sda:1m --network n --network-alias x --network name=m,alias=y,gw-priority=2,driver-opt=com.docker.network.endpoint.ifname=lan0 -p 127.0.0.1:1:2/udp -p 80 -v v:/v -v /s:/t:ro --mount type=volume,source=q,target=/q,volume-opt=a=b --tmpfs /tmp:size=64m --health-cmd "true || false" --health-retries 2 --ulimit nofile=10:20 --log-driver local --log-opt max-size=1m --gpus all busybox:1 sh -c "echo hi"'
    const parsed = parseRunCommand(line)
    const { run, errors } = readForm(fillForm(parsed.name, parsed.options))
    expect(errors).toEqual({})
    expect(run?.options).toEqual(parsed.options)
    expect(run?.name).toBe('a')
  })

  it('keeps what only a field of --network says of the first one', () => {
    const line = 'docker run -d --network name=n,gw-priority=-3,driver-opt=a=b --network m busybox:1'
    const parsed = parseRunCommand(line)
    expect(parsed.options.networks.n).toMatchObject({ gatewayPriority: -3, driverOptions: { a: 'b' } })
    expect(runCommand(undefined, parsed.options).replaceAll(' \\\n  ', ' ')).toBe(line)
    expect(readForm(fillForm('a', parsed.options)).run?.options).toEqual(parsed.options)
  })

  it('takes a container whose init was switched off by name', () => {
    const { options } = parseRunCommand('docker run --init=false busybox')
    expect(options.init).toBe(false)
    expect(readForm(fillForm('a', options)).errors).toEqual({})
  })

  it('says everything that is wrong at once, each beside its field', () => {
    const { errors } = readForm({
      ...emptyForm,
      name: '-x',
      command: "a 'b",
      ports: [{ hostIp: '', host: '1', container: 'x', protocol: 'tcp' }],
      flags: { ...emptyForm.flags, memory: 'much', ulimit: 'nofile=a' },
    })
    expect(Object.keys(errors).sort()).toEqual(['command', 'flags.memory', 'flags.ulimit', 'image', 'name', 'ports.0'])
    expect(errors['flags.memory']).toContain('512m')
  })
})
