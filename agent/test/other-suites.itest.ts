/** What the test suites of moby and docker-py look for and nobody else here does. */
import { describe, expect, it } from 'vitest'
import { dockerSuite } from './docker.ts'

const { host, check } = dockerSuite()

describe('moby, integration-cli', () => {
  check([
    {
      about: 'cp follows a link in a bind of a container that does not run, and keeps the link',
      script: `d=$(mktemp -d); cd $d; mkdir v; echo 1 > v/one; echo 2 > two; ln -s one v/link; ln -s /etc/where v/absolute; docker create --name cl -v $d/v:/vol bb:1 true >/dev/null
        docker cp two cl:/vol/link; cat v/one; readlink v/link
        for link in link absolute; do curl -sI --unix-socket \${DOCKER_HOST#unix://} "http://x/containers/cl/archive?path=/vol/$link" | sed -n 's/^X-Docker-Container-Path-Stat: //ip' | tr -d '\\r' | base64 -d | grep -o '"linkTarget":"[^"]*"'; done
        docker rm cl >/dev/null; rm -r $d`,
      stdout: '2\none\n"linkTarget":"/vol/one"\n"linkTarget":"/etc/where"\n',
    },
    {
      about: 'a link is taken away by its name, and both containers stay',
      script: `docker run -d --name la bb:1 sleep 100 >/dev/null; docker run -d --name lb --link la:x bb:1 sleep 100 >/dev/null
        docker rm --link lb/x; docker inspect -f '{{json .HostConfig.Links}} {{.State.Running}}' lb; docker rm --link lb/x; docker rm --link lb; docker rm -f la lb`,
      stdout: 'lb/x\nnull true\nla\nlb\n',
      stderr: /No such link: lb\/x[\s\S]*Conflict, cannot remove the default link name of the container/,
    },
    {
      about: 'a link to a container that is not on the default network',
      script:
        'docker network create ln >/dev/null; docker run -d --name lc --network ln bb:1 sleep 100 >/dev/null; docker run --rm --link lc bb:1 true; docker rm -f lc; docker network rm ln',
      stdout: 'lc\nln\n',
      stderr: /cannot link to \/lc, as it does not belong to the default network/,
    },
    {
      about: 'aliases on networks without a name service',
      script: `docker create --name aa bb:1 true >/dev/null; docker network disconnect bridge aa; for n in bridge host none; do docker network connect --alias any $n aa; done; docker rm aa`,
      stdout: 'aa\n',
      stderr: /(.*network-scoped alias is supported only for containers in user defined networks\n){3}/,
    },
    {
      about: 'addresses that are none',
      script: `docker network create --ipv6 --subnet 172.28.9.0/24 --subnet fd00:28::/64 na >/dev/null
        for o in '--ip nonsense' '--ip6 nonsense' '--ip6 172.28.9.9' '--ip6 ::ffff:172.28.9.9' '--link-local-ip 169.253.5.5'; do docker run --rm --network na $o bb:1 true 2>&1 | grep -o 'daemon: .*'; done; docker network rm na`,
      stdout: `daemon: invalid IPv4 address: nonsense
daemon: invalid IPv6 address: nonsense
daemon: invalid IPv6 address: 172.28.9.9
daemon: invalid IPv6 address: ::ffff:172.28.9.9
daemon: invalid link-local IP address: 169.253.5.5
na
`,
    },
    {
      about: 'a network tells its IPv4 subnet first, whatever was said first',
      script: `docker network create --ipv6 --subnet fd00:29::/64 --subnet 172.28.10.0/24 no >/dev/null; docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' no; docker network rm no`,
      stdout: '172.28.10.0/24 fd00:29::/64 \nno\n',
    },
    {
      about: 'leaving a network that is gone, and the host’s',
      script: `docker network create ng >/dev/null; docker run -d --name ga --network ng bb:1 true >/dev/null; docker wait ga; docker network rm ng
        docker network disconnect ng ga; docker network disconnect -f ng ga; docker inspect -f '{{json .NetworkSettings.Networks}}' ga
        docker run -d --name gb --network host bb:1 sleep 100 >/dev/null; docker network disconnect host gb; docker rm -f ga gb`,
      stdout: '0\nng\n{}\nga\ngb\n',
      stderr: /network ng not found[\s\S]*container cannot be disconnected from host network or connected to host network/,
    },
    {
      about: 'save and load keep who was made from whom, and say whose name is taken',
      script: `printf 'FROM bb:1\\nLABEL a=1\\n' | docker build -qt pa - >/dev/null; printf 'FROM pa\\nLABEL b=1\\n' | docker build -qt pb - >/dev/null
        docker save -o /tmp/p$$.tar pb pa; docker rmi pb pa >/dev/null; docker tag bb:1 pb; docker load -i /tmp/p$$.tar; rm /tmp/p$$.tar
        test "$(docker inspect -f '{{.Parent}}' pb)" = "$(docker inspect -f '{{.Id}}' pa)" && echo kept; docker rmi pb pa >/dev/null`,
      stdout:
        /The image pb:latest already exists, renaming the old one with ID sha256:[0-9a-f]{64} to empty string\nLoaded image: pb:latest\n[\s\S]*kept\n$/,
    },
    {
      about: 'what a build step says on its standard error is red; a stage is named by its name alone',
      script: `printf 'FROM bb:1\\nRUN echo out; sleep 0.3; echo err >&2\\nFROM bb:1 AS two\\n' > /tmp/d$$; docker build --target two - < /tmp/d$$ | grep -c Step; docker build --target 0 - < /tmp/d$$ >/dev/null
        printf 'FROM bb:1\\nRUN echo out; sleep 0.3; echo err >&2\\n' | docker build --no-cache - | tr '\\033' E | grep '^E' | cut -c1-8; rm /tmp/d$$`,
      stdout: '1\nE[91merr\nE[0mRemo\n',
      stderr: /failed to reach build target 0 in Dockerfile/,
    },
    {
      about: 'stop with no time sends the stop signal all the same',
      script: `docker run -d --name s0 bb:1 sleep 100 >/dev/null; since=$(date +%s); docker stop -t 0 s0; docker events --since $since --until $(($(date +%s)+1)) --filter container=s0 --filter event=kill --format '{{.Actor.Attributes.signal}}'; docker rm s0`,
      stdout: 's0\n15\n9\ns0\n',
    },
    {
      about: 'a volume is told when a run takes it and gives it back',
      script: `since=$(date +%s); docker run --name ve -v ev:/foo bb:1 true; docker rm ve >/dev/null; docker volume rm ev >/dev/null; docker events --since $since --until $(($(date +%s)+1)) --filter volume=ev --format '{{.Action}} {{.Actor.Attributes.destination}} {{index .Actor.Attributes "read/write"}}'`,
      stdout: 'create <no value> \nmount /foo true\nunmount <no value> \ndestroy <no value> \n',
    },
    {
      about: 'steps of an image that was not built here are found by --cache-from, and others only there',
      script: `d=$(mktemp -d); cd $d; echo 1 > file; printf 'FROM bb:1\\nENV A=b\\nRUN echo one > /one\\nCOPY file /two\\n' > Dockerfile
        docker build -qt cf . >/dev/null; docker save -o cf.tar cf; docker rmi cf >/dev/null; docker builder prune -af >/dev/null; docker load -qi cf.tar; rm cf.tar
        docker build --cache-from cf -t cg . | grep -c 'Using cache'; docker inspect -f '{{.Id}}' cf cg | uniq | wc -l
        printf 'RUN echo three\\n' >> Dockerfile; docker build --cache-from cf -t ch . | grep -c 'Using cache'
        printf 'FROM bb:1\\nENV A=b\\nRUN echo one > /one\\nRUN echo other\\n' > Dockerfile; docker build --cache-from cf -t ci . | grep -c 'Using cache'; docker run --rm ci cat /one
        docker build -t cj . | grep -c 'Using cache'; docker build --cache-from nosuch -t ck . | grep -c 'Using cache'; docker rmi cf cg ch ci cj ck >/dev/null; rm -r $d`,
      stdout: 'Loaded image: cf:latest\n3\n1\n3\n2\none\n3\n0\n',
    },
    {
      about: 'any path has its options',
      script: `curl -s -o /dev/null -w '%{http_code}\\n' -X OPTIONS --unix-socket \${DOCKER_HOST#unix://} http://x/v1.41/containers/any`,
      stdout: '200\n',
    },
  ])
})

describe('docker-py, tests/integration', () => {
  it('closes the connection behind the detach keys, and tells why an archive cannot be loaded', async () => {
    const script = `
import docker, os, time
client = docker.DockerClient(base_url='unix://${host().socket}')
api = client.api
def detached(sock):
    os.write(sock.fileno(), b'\\x10'); time.sleep(0.1); os.write(sock.fileno(), b'\\x11')
    for turn in range(100):
        try: os.write(sock.fileno(), b'x')
        except BrokenPipeError: return True
        time.sleep(0.05)
    return False
made = api.create_container('bb:1', 'cat', stdin_open=True, tty=True)['Id']
api.start(made)
print(detached(api.attach_socket(made, {'stdin': True, 'stdout': True, 'stream': True})))
print(detached(api.exec_start(api.exec_create(made, 'cat', stdin=True, tty=True), tty=True, socket=True)))
api.remove_container(made, force=True)
try: client.images.load(b'abc')
except docker.errors.ImageLoadError as error: print(error)
`
    const outcome = await host().sh('/usr/bin/python3 -W ignore -', { input: script })
    expect(outcome.stdout, outcome.stderr).toBe('True\nTrue\nthis is not a tar archive (plain, gzip, zstd, bzip2 or xz)\n')
  })
})
