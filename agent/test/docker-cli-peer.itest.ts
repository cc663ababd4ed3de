/** Values that Docker Engine prints and a client compares: terminals, chosen addresses, exported roots, owners. Each was seen on Docker Engine 20.10. */
import { describe } from 'vitest'
import { dockerSuite } from './docker.ts'

const { check } = dockerSuite()

describe('terminals', () => {
  check([
    {
      about: "without a client's size there is none, in a container and in an exec; create's is the container's",
      script: `size='s=$(stty size 2>&1); echo "[$s]"'
        docker run --rm -t bb:1 sh -c "$size" < /dev/null; docker run -d --name t1 bb:1 sleep 100 > /dev/null; docker exec -t t1 sh -c "$size" < /dev/null; docker rm -f t1
        curl -s --unix-socket \${DOCKER_HOST#unix://} -H 'Content-Type: application/json' -d '{"Image":"bb:1","Tty":true,"Cmd":["stty","size"],"HostConfig":{"ConsoleSize":[33,77]}}' http://d/containers/create?name=t2 > /dev/null
        docker start t2; docker wait t2; docker logs t2; docker rm t2`,
      stdout: '[stty: standard input]\r\n[stty: standard input]\r\nt1\nt2\n0\n33 77\r\nt2\n',
    },
  ])
})

describe('networks', () => {
  check([
    {
      about: 'an address may be chosen only where the subnet was',
      script: `docker network create p1 > /dev/null; docker network create --subnet 10.199.7.0/24 p2 > /dev/null; docker run -d --name p0 bb:1 sleep 100 > /dev/null
        first=$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' p1); docker network connect --ip \${first%.*}.77 p1 p0; docker network connect --ip6 fd00::7 p2 p0
        docker network connect --ip 10.199.7.9 p2 p0; docker exec p0 ip -o -4 addr | grep -o '10.199.7.9'; docker rm -f p0; docker network rm p1 p2`,
      stdout: '10.199.7.9\np0\np1\np2\n',
      stderr:
        /^(Error response from daemon: user specified IP address is supported only when connecting to networks with user configured subnets\n){2}$/,
    },
    {
      about: 'who is not on a network cannot leave it, by force neither',
      script: `docker network create p3 > /dev/null; docker run -d --name p4 bb:1 sleep 100 > /dev/null; docker network disconnect -f p3 p4; docker network connect p3 p4; docker network disconnect -f p3 p4
        docker network disconnect p3 p4; docker rm -f p4; docker network rm p3`,
      stdout: 'p4\np3\n',
      stderr:
        /^Error response from daemon: endpoint p4 not found\nError response from daemon: container [0-9a-f]{64} is not connected to network p3\n$/,
    },
    {
      about: 'options for the resolver leave the resolvers, also without a network of its own',
      script: `grep ^nameserver /etc/resolv.conf > $HOME/servers; for n in host none; do docker run --rm --network $n --dns-opt ndots:3 --dns-search . bb:1 cat /etc/resolv.conf > $HOME/told; grep ^nameserver $HOME/told | diff $HOME/servers - && grep -v ^nameserver $HOME/told; done`,
      stdout: 'options ndots:3\noptions ndots:3\n',
    },
  ])
})

describe('platforms', () => {
  check([
    {
      about: 'one that an image is not for is not shown, saved, pushed or loaded; the one that it is for is',
      script: `for what in 'image inspect' 'history -q' save push; do docker $what --platform linux/arm64 bb:1 > $HOME/out && echo "$what"; done
        docker image inspect --platform linux/amd64 -f '{{.Os}}' bb:1; docker save --platform linux/amd64 bb:1 | docker load --platform linux/arm64
        docker save bb:1 | docker load --platform linux/amd64; docker network create --ipv4=false n6`,
      status: 1,
      stdout: 'linux\nLoaded image: bb:1\n',
      stderr:
        /^((Error response from daemon: |Error: )?.*image with reference (docker.io\/library\/)?bb:1 was found but does not match the specified platform: wanted linux\/arm64, actual: linux\/amd64\n){4}.*requested platform \(linux\/arm64\) not found: the archive holds linux\/amd64\nError response from daemon: networks without IPv4 are not supported; leave --ipv4=false out \(--ipv6 adds IPv6\)\n$/,
    },
  ])
})

describe('values of one container', () => {
  check([
    {
      about: 'an unlimited hard limit is unlimited, for the first process and an exec',
      script: `docker run -d --name v1 --ulimit core=0:-1 bb:1 sleep 100 > /dev/null; docker exec v1 sh -c 'grep -h core /proc/1/limits /proc/self/limits' | awk '{print $5, $6}'; docker rm -f v1`,
      stdout: '0 unlimited\n0 unlimited\nv1\n',
    },
    {
      about: "on the host's network its name is the container's",
      script: `docker run --rm --network host bb:1 sh -c 'hostname; cat /etc/hostname; echo $HOSTNAME' | sort -u | diff - <(hostname) && docker create --name v2 --network host bb:1 > /dev/null && docker inspect -f '{{.Config.Hostname}}' v2 | diff - <(hostname); docker rm v2`,
      stdout: 'v2\n',
    },
    {
      about: 'inspect shows the environment in the order in which the engine was given it (the command line shuffles it)',
      script: `curl -s --unix-socket \${DOCKER_HOST#unix://} -H 'Content-Type: application/json' -d '{"Image":"bb:1","Env":["A=1","B","C=2"]}' http://d/containers/create?name=v3 > /dev/null
        docker inspect -f '{{slice .Config.Env 0 3}}' v3; docker rm v3`,
      stdout: '[A=1 B C=2]\nv3\n',
    },
  ])
})

describe('events', () => {
  check([
    {
      about: 'an exec names its command with a blank behind the program',
      script: `docker run -d --name e1 bb:1 sleep 100 > /dev/null; at=$(date +%s); docker exec e1 true; docker exec e1 echo a b
        docker events --since $at --until $(($(date +%s) + 1)) --filter container=e1 --filter event=exec_create --filter event=exec_start --format '[{{.Action}}]'; docker rm -f e1`,
      stdout: 'a b\n[exec_create: true ]\n[exec_start: true ]\n[exec_create: echo a b]\n[exec_start: echo a b]\ne1\n',
    },
  ])
})

describe('a list', () => {
  check([
    {
      about: 'that was sent a moment ago knows at once of whatever has changed since, also of names of images',
      script: `list() { docker ps -a --format '{{.Names}} {{.Image}} {{.State}} {{.Networks}}' | sed 's/bridge,l4/bridge;l4/' | sed -E 's/ [0-9a-f]{12} / ID /' | sort | paste -sd ,; }
        docker tag bb:1 lx:1; docker run -d --name l1 bb:1 sleep 100 > /dev/null; docker run -d --name l2 lx:1 sleep 100 > /dev/null; list; list; docker pause l1 > /dev/null; list; docker unpause l1 > /dev/null
        docker rename l1 l3; list; docker commit l3 lx:1 > /dev/null; list; docker network create l4 > /dev/null; list; docker network connect l4 l2; list; docker stop -t 0 l2 > /dev/null; list
        docker rm -f l2 l3 > /dev/null; docker network rm l4 > /dev/null; docker rmi -f lx:1 > /dev/null; list`,
      stdout: [
        'l1 bb:1 running bridge,l2 lx:1 running bridge',
        'l1 bb:1 running bridge,l2 lx:1 running bridge',
        'l1 bb:1 paused bridge,l2 lx:1 running bridge',
        'l2 lx:1 running bridge,l3 bb:1 running bridge',
        'l2 ID running bridge,l3 bb:1 running bridge',
        'l2 ID running bridge,l3 bb:1 running bridge',
        'l2 ID running bridge;l4,l3 bb:1 running bridge',
        'l2 ID exited bridge;l4,l3 bb:1 running bridge',
        '',
        '',
      ].join('\n'),
    },
  ])
})

describe('refusals', () => {
  check([
    {
      about: 'a block weight',
      script: 'docker create --blkio-weight 1001 bb:1',
      status: 1,
      stderr: /: Range of blkio weight is from 10 to 1000\n/,
    },
    {
      about: 'options of a tmpfs, before anything is made',
      script: 'docker run --name r1 --tmpfs /x:size=1m,foo=bar bb:1; docker run --tmpfs /x:nope bb:1; docker rm r1',
      status: 1,
      stderr: /: invalid tmpfs option \["foo" "bar"\]\n[\s\S]*: invalid tmpfs option \["nope"\]\n[\s\S]*No such container: r1\n$/,
    },
    {
      about: 'networks that a bridge cannot be',
      script:
        'docker network create --subnet 10.199.1.0/24 --subnet 10.199.2.0/24 r2; docker network create --scope swarm r2; docker network rm r2',
      status: 1,
      stderr:
        /^Error response from daemon: bridge driver doesn't support multiple subnets\nError response from daemon: cannot create a swarm scoped network when swarm is not active\n[\s\S]*r2 not found\n/,
    },
    {
      about: 'an alias on the default network, the own name again, a link that is none',
      script: `docker network create r3 > /dev/null; docker run -d --name r3 --network r3 bb:1 sleep 100 > /dev/null; docker network connect --alias a bridge r3; docker rename r3 r3; docker rm --link r3; docker rm -f r3; docker network rm r3`,
      stdout: 'r3\nr3\n',
      stderr:
        /^Error response from daemon: network-scoped alias is supported only for containers in user defined networks\nError response from daemon: Renaming a container with the same name as its current name\n[\s\S]*Error response from daemon: Conflict, cannot remove the default link name of the container\n/,
    },
  ])
})

describe('roots', () => {
  check([
    {
      about: 'an export holds the places of mounts as they are below them, running or not',
      script: `new() { docker $1 --name x1 -v /tmp:/etc/in -v /etc/hostname:/etc/passwd bb:1 sleep 100 > /dev/null; }
        list() { docker export x1 | tar -tv --numeric-owner | awk '{print $1, $2, $3, $6}' | grep -E ' (dev/.*|proc/|sys/|etc/(hosts|in/?)|.dockerenv)$' | sort -k4; docker export x1 | tar -x -O etc/passwd | head -c 5; echo; docker diff x1; docker rm -f x1; }
        new 'run -d'; list; new create; list`,
      stdout: `${[
        '-rwxr-xr-x 0/0 0 .dockerenv',
        'drwxr-xr-x 0/0 0 dev/',
        '-rwxr-xr-x 0/0 0 dev/console',
        'drwxr-xr-x 0/0 0 dev/pts/',
        'drwxr-xr-x 0/0 0 dev/shm/',
        '-rwxr-xr-x 0/0 0 etc/hosts',
        'drwxr-xr-x 0/0 0 etc/in/',
        'drwxr-xr-x 0/0 0 proc/',
        'drwxr-xr-x 0/0 0 sys/',
        'root:',
        'C /etc',
        'A /etc/in',
        'x1',
        '-rwxr-xr-x 0/0 0 .dockerenv',
        'drwxr-xr-x 0/0 0 dev/',
        '-rwxr-xr-x 0/0 0 dev/console',
        'drwxr-xr-x 0/0 0 dev/pts/',
        'drwxr-xr-x 0/0 0 dev/shm/',
        '-rwxr-xr-x 0/0 0 etc/hosts',
        'drwxr-xr-x 0/0 0 proc/',
        'drwxr-xr-x 0/0 0 sys/',
        'root:',
        'x1',
      ].join('\n')}\n`,
    },
    {
      about: 'what is copied or exported out of a user range of its own has the owners that the container sees',
      script: `curl -s --unix-socket \${DOCKER_HOST#unix://} -H 'Content-Type: application/json' -d '{"Image":"bb:1","Cmd":["sh","-c","touch /x; chown 5:6 /x; touch /ready; exec sleep 100"],"HostConfig":{"UsernsMode":"auto"}}' http://d/containers/create?name=u1 > /dev/null
        docker start u1; until docker exec u1 test -e /ready; do :; done; owners() { tar -tv --numeric-owner | awk '$6 ~ /^(x|etc\\/passwd)$/ {print $2, $6}' | sort; }
        list() { docker cp u1:/x - | owners; docker export u1 | owners; }; list; docker stop -t 0 u1; list; docker rm u1`,
      stdout: 'u1\n5/6 x\n0/0 etc/passwd\n5/6 x\nu1\n5/6 x\n0/0 etc/passwd\n5/6 x\nu1\n',
    },
    {
      about: 'inspect tells the paths that are masked',
      script: `docker create --name m1 bb:1 > /dev/null; docker inspect -f '{{json .HostConfig.MaskedPaths}}' m1 | tr -d '[]"' | tr , '\\n' | grep -v thermal_throttle; docker rm m1; docker run --rm bb:1 sh -c 'wc -c < /proc/interrupts'`,
      stdout:
        '/proc/acpi\n/proc/asound\n/proc/interrupts\n/proc/kcore\n/proc/keys\n/proc/latency_stats\n/proc/sched_debug\n/proc/scsi\n/proc/timer_list\n/proc/timer_stats\n/sys/devices/virtual/powercap\n/sys/firmware\nm1\n0\n',
    },
  ])
})

describe('builds', () => {
  check([
    {
      about:
        'COPY --parents keeps directories and their modes from the pivot on; --exclude leaves out by the path below the source, also out of the cache key',
      script: `mkdir -p $HOME/ctx/x/y $HOME/ctx/x/z; cd $HOME/ctx; for f in a.txt b.md x/c.txt x/y/d.txt x/y/e.md x/z/f.txt; do echo $f > $f; done; chmod 700 x; ln -s /etc x/y/out
        show() { printf '%s\\n' 'FROM bb:1' 'WORKDIR /to' "$1" > $HOME/df; docker build -q -t cp:1 -f $HOME/df . > /dev/null 2>&1; docker run --rm cp:1 sh -c 'echo $(find . ! -type d | sort) $(stat -c "%n %a %u" x 2> /dev/null)'; }
        show 'COPY --parents x/c.txt x/y/d.txt /to/'; show 'COPY --parents ./x/./y/*.txt /to/'; show 'COPY --parents x/**/*.md /to/'; show 'COPY --parents x/z /to'; show 'COPY --parents --exclude=x/y x /to/'
        show 'COPY --exclude=*.md --exclude=x/y/out . /to/'; show 'COPY --exclude=**/*.md --exclude=!y/e.md x /to/'; show 'COPY --exclude=*.txt a.txt b.md /to/'
        id=$(docker inspect -f '{{.Id}}' cp:1); echo other > a.txt; docker build -q -f $HOME/df . 2> /dev/null | grep -c $id; echo other > b.md; docker build -q -f $HOME/df . 2> /dev/null | grep -c $id
        printf '%s\\n' 'FROM bb:1 AS b' 'RUN mkdir -p /s/t && touch /s/t/u /s/t/v && chown 7:8 /s/t/u' 'FROM bb:1' 'WORKDIR /to' 'COPY --from=b --parents --exclude=**/v /s/./t /to/' > $HOME/df; docker build -q -t cp:2 -f $HOME/df . > /dev/null 2>&1; docker run --rm cp:2 sh -c 'stat -c "%n %u:%g" $(find . ! -type d)'
        printf '%s\\n' 'FROM bb:1' 'COPY --parents nosuch /to/' > $HOME/df; docker build -f $HOME/df . 2>&1 | grep failed; docker rmi cp:1 cp:2 > /dev/null`,
      stdout: `${[
        './x/c.txt ./x/y/d.txt x 700 0',
        './y/d.txt',
        './x/y/e.md x 700 0',
        './x/z/f.txt x 700 0',
        './x/c.txt ./x/z/f.txt x 700 0',
        './a.txt ./x/c.txt ./x/y/d.txt ./x/y/e.md ./x/z/f.txt x 700 0',
        './c.txt ./y/d.txt ./y/e.md ./y/out ./z/f.txt',
        './b.md',
        '1',
        '0',
        './t/u 7:8',
        'COPY failed: file not found in build context or excluded by .dockerignore: stat nosuch: file does not exist',
      ].join('\n')}\n`,
    },
    {
      about: 'an attach that is refused says why in plain text',
      script: `docker run -di --name at bb:1 cat > /dev/null; curl -s -X POST --unix-socket \${DOCKER_HOST#unix://} -H 'Upgrade: tcp' -H 'Connection: Upgrade' 'http://d/v1.41/containers/at/attach?stdin=1&stream=1&detachKeys=ctrl-A,a' | tr -d '\\r'; docker rm -f at`,
      stdout: 'Invalid detach keys (ctrl-A,a) provided\nat\n',
    },
    {
      about: 'an isolation of other systems and a FROM without an image are refused',
      script: `printf 'FROM bb:1\n' > $HOME/f; cd $HOME && mkdir -p none && docker build --isolation hyperv -f f none 2>&1 | grep -o 'Unsupported.*'; echo FROM | docker build - 2>&1 | grep -o 'FROM req.*'`,
      stdout: 'Unsupported isolation: "hyperv"\nFROM requires either one or three arguments\n',
    },
  ])
})

describe('events', () => {
  check([
    {
      about: 'top, the pause of a commit, no stop of what is removed by force; an image is named by its id',
      script: `S=$(date +%s); docker run -d --name ee bb:1 sleep 100 > /dev/null; docker top ee > /dev/null; docker commit ee ee:1 > /dev/null; docker rm -f ee > /dev/null; docker rmi ee:1 > /dev/null; U=$(($(date +%s) + 1))
        docker events --since $S --until $U -f container=ee --format '{{.Action}}' | tr '\\n' ' '; docker events --since $S --until $U -f event=untag --format '{{eq .Actor.ID .Actor.Attributes.name}}' | sort -u`,
      stdout: 'create start top pause unpause commit kill die destroy true\n',
    },
    {
      about: 'a commit by its short name, an import by its tag and its id, a prune that found nothing',
      script: `S=$(date +%s); docker create --name ef bb:1 > /dev/null; docker commit ef ef:1 > /dev/null; docker export ef | docker import - ef:2 > /dev/null; docker rm ef > /dev/null; docker image prune -f > /dev/null; U=$(($(date +%s) + 1)); ask() { docker events --since $S --until $U "$@"; }
        ask -f event=commit -f container=ef --format '{{.Actor.Attributes.imageRef}}'; ask -f event=tag --format '{{.Actor.Attributes.name}}' | grep ef:2; ask -f event=import --format '{{eq .Actor.ID .Actor.Attributes.name}}'; ask -f type=image -f event=prune --format '{{.Action}}'; docker rmi ef:1 ef:2 > /dev/null`,
      stdout: 'ef:1\nef:2\ntrue\nprune\n',
    },
  ])
})
