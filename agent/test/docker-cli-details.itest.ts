/** Smaller promises of the docker command line: what inspect, ps, logs, events and cp tell. Compared with Docker Engine 20.10 side by side. */
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { dockerSuite } from './docker.ts'

const { check, host } = dockerSuite()

describe('exec', () => {
  check([
    {
      about: 'is of the run in which it was made: after a stop, and after another start, there is no such exec',
      script: `docker run -d --name er bb:1 sleep 100 >/dev/null
        api() { curl -s -w '%{http_code}\\n' --unix-socket \${DOCKER_HOST#unix://} -H 'Content-Type: application/json' "$@"; }
        make() { api -d '{"Cmd":["true"]}' http://x/containers/er/exec | grep -o '[0-9a-f]\\{64\\}'; }
        begin() { api -d '{"Detach":true}' http://x/exec/$1/start | sed -E 's/[0-9a-f]{64}/ID/'; }
        begin $(make); old=$(make); docker stop -t 0 er >/dev/null; begin $old; docker start er >/dev/null; begin $old; docker rm -f er >/dev/null`,
      stdout: '200\n{"message":"No such exec instance: ID"}\n404\n{"message":"No such exec instance: ID"}\n404\n',
    },
  ])
})

describe('inspect', () => {
  check([
    {
      about: 'of a container that never ran names no files; links, modes, removed variables, absent health checks',
      script: `docker run -d --name db bb:1 sleep 100 >/dev/null; docker create --name in --link db:data --no-healthcheck --pid host -e GONE -v vol:/v:ro,z -v /tmp:/t:Z --mount type=volume,dst=/anon bb:1 >/dev/null
        docker inspect -f '{{json .LogPath}} {{json .HostsPath}} {{.HostConfig.Links}} {{.Config.Healthcheck.Test}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Binds}} {{json .Config.Env}}' in
        docker inspect -f '{{range .Mounts}}{{.Destination}}={{.Mode}} {{end}}' in; docker rm -fv in db; docker volume rm vol`,
      // The command line sends binds in no order.
      stdout:
        /^"" "" \[\/db:\/in\/data\] \[NONE\] \[label=disable\] \[(?:vol:\/v:ro,z \/tmp:\/t:Z|\/tmp:\/t:Z vol:\/v:ro,z)\] \["GONE","PATH=[^"]*"\]\n(?=.*\/v=ro,z)(?=.*\/t=Z)(?=.*\/anon=z).*\nin\ndb\nvol\n$/,
    },
    {
      about: 'pids limit: nothing for none, zero when it was lifted',
      script: `docker create --name p1 --pids-limit 0 bb:1 >/dev/null; docker run -d --name p2 --pids-limit 20 bb:1 sleep 100 >/dev/null; docker update --pids-limit -1 p2 >/dev/null
        docker inspect -f '{{.HostConfig.PidsLimit}}' p1 p2; docker exec p2 cat /proc/1/cgroup >/dev/null; docker rm -f p1 p2`,
      stdout: '<nil>\n0\np1\np2\n',
    },
    {
      about: 'what nothing on Linux reads is told again; an unknown kind of health check is kept and never run',
      script: `docker create --name told --cidfile $HOME/told.cid --volume-driver foo bb:1 >/dev/null; docker inspect -f '{{.HostConfig.ContainerIDFile}} {{.HostConfig.VolumeDriver}}' told | sed "s#$HOME##"
        new() { curl -s --unix-socket \${DOCKER_HOST#unix://} -H 'Content-Type: application/json' -d "$2" http://x/v1.41/containers/create?name=$1; }
        new odd '{"Image":"bb:1","Cmd":["top"],"Healthcheck":{"Test":["true"],"Retries":3},"HostConfig":{"CpuCount":2,"ConsoleSize":[4,5]}}' >/dev/null; docker start odd
        docker inspect -f '{{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}} {{.HostConfig.CpuCount}} {{.HostConfig.ConsoleSize}} {{json .State}}' odd | sed 's/{.*Health.*/probed/; s/{.*//'; docker rm -f told odd
        new no '{"Image":"bb:1","HostConfig":{"IOMaximumIOps":7}}'; docker create --volume-driver foo -v vol:/v bb:1`,
      stdout:
        '/told.cid foo\nodd\n[true] 3 2 [4 5] \ntold\nodd\n{"message":"Invalid QoS settings: linux does not support configuration of maximum IOPs"}\n',
      stderr: /error looking up volume plugin foo: plugin "foo" not found/,
      status: 1,
    },
    {
      about: "an import's only line is its image, a platform that is none is refused, an exec needs a body",
      script: `api() { curl -s --unix-socket \${DOCKER_HOST#unix://} "$@"; }; docker create --name ex bb:1 >/dev/null
        docker export ex | api -X POST --data-binary @- 'http://x/v1.41/images/create?fromSrc=-&repo=ex/ported:v1' | sed 's/[0-9a-f]\\{64\\}/ID/'; docker rmi ex/ported:v1 >/dev/null; docker rm ex
        api -X POST 'http://x/v1.41/images/create?fromImage=nosuch&tag=latest&platform=foobar' -w '%{http_code}\\n'; api -X POST 'http://x/v1.41/build?platform=foobar' -o /dev/null -w '%{http_code}\\n'; api -X POST -H 'Content-Type: application/json' http://x/v1.41/exec/nosuch/start`,
      stdout:
        '{"status":"sha256:ID"}\r\nex\n{"message":"\\"foobar\\": unknown operating system or architecture: invalid argument"}\n400\n400\n{"message":"invalid JSON: got EOF while reading request body"}\n',
    },
    {
      about: 'execs are listed while they run',
      script: `docker run -d --name e1 bb:1 sleep 100 >/dev/null; docker exec -d e1 tail -f /dev/null; docker inspect -f '{{len .ExecIDs}}' e1; docker exec e1 sh -c 'kill $(pidof tail)'
        for i in $(seq 100); do [ "$(docker inspect -f '{{.ExecIDs}}' e1)" = '[]' ] && break; sleep 0.1; done; docker inspect -f '{{.ExecIDs}}' e1; docker rm -f e1`,
      stdout: '1\n[]\ne1\n',
    },
  ])
})

describe('lists', () => {
  check([
    {
      about: 'ps: addresses, link names, an image that lost its name, descendants of an image, prefixes of networks',
      script: `docker build -q -t child:1 - >/dev/null <<< 'FROM bb:1
LABEL a=b'
        docker run -d --name aa bb:1 sleep 100 >/dev/null; docker run -d --name cc --link aa child:1 sleep 100 >/dev/null
        docker ps --no-trunc --format '{{.Names}}'; docker ps --filter ancestor=bb:1 --format '{{.Names}}' | wc -l; docker inspect -f '{{.Name}}' cc/aa
        N=$(docker network inspect -f '{{.Id}}' bridge); docker ps -q --filter network=\${N:0:6} | wc -l
        docker build -q -t child:1 - >/dev/null <<< 'FROM bb:1
LABEL a=c'
        docker ps --filter name=cc --format '{{.Image}}' | sed 's/^[0-9a-f]*$/id/'
        curl -s --unix-socket "\${DOCKER_HOST#unix://}" 'http://d/containers/json' | grep -o '"Gateway":"[0-9.]*"' | sort -u | wc -l; docker rm -f aa cc; docker rmi -f child:1 >/dev/null`,
      stdout: 'cc\naa,cc/aa\n2\n/aa\n2\nid\n1\naa\ncc\n',
    },
    {
      about: 'logs --details tell the attributes that were asked for',
      script: `docker run --name lg --label a=b --label c=d -e X='1 2' -e Y=2 --log-opt labels=a --log-opt env=X --log-opt env-regex='^Y' bb:1 echo hi; docker logs --details lg; docker rm lg; docker run --name lh bb:1 echo ho; docker logs --details lh; docker rm lh`,
      stdout: 'hi\nX=1+2,Y=2,a=b hi\nlg\nho\n ho\nlh\n',
    },
    {
      about: "events: copies, exports, saves; images' by their labels",
      script: `S=$(date +%s); docker create --name ev bb:1 >/dev/null; docker cp ev:/etc/passwd - >/dev/null; docker cp /etc/passwd ev:/tmp/p 2>/dev/null; docker export ev >/dev/null; docker rm ev >/dev/null
        docker build -q -t lab:1 - >/dev/null <<< 'FROM bb:1
LABEL x=y'
        docker save lab:1 >/dev/null; docker rmi lab:1 >/dev/null; sleep 1; U=$(date +%s)
        docker events --since $S --until $U --filter container=ev --format '{{.Action}}' | tr '\\n' ' '; docker events --since $S --until $U --filter type=image --filter label=x=y --format '{{.Action}}' | tr '\\n' ' '`,
      stdout: /^create archive-path extract-to-dir export destroy .*tag .*save .*untag $/,
    },
  ])
})

const inspected = (what: string) => `docker inspect -f '${what}'`
const post = `curl -s --unix-socket "\${DOCKER_HOST#unix://}" -H 'Content-Type: application/json'`

describe('what inspect tells again', () => {
  check([
    {
      about: 'ports of who is on internal networks alone, which are not published',
      script: `docker network create --internal inn >/dev/null; docker network create out >/dev/null; docker run -d --name ip --network inn -p 80 bb:1 sleep 100 >/dev/null; docker port ip
        ${inspected('{{json .HostConfig.PortBindings}} {{len .NetworkSettings.Networks}}')} ip; docker network connect out ip; docker restart -t 0 ip; docker port ip | sed 's/:[0-9]*$/:N/'
        docker rm -f ip; docker network rm inn out`,
      stdout: '{"80/tcp":[{"HostIp":"","HostPort":""}]} 1\nip\n80/tcp -> 0.0.0.0:N\n80/tcp -> [::]:N\nip\ninn\nout\n',
    },
    {
      about: 'options of an address plan',
      script: `docker network create --ipam-opt foo=bar --ipam-opt b=c io >/dev/null; docker network create none-given >/dev/null; curl -s --unix-socket \${DOCKER_HOST#unix://} -H 'Content-Type: application/json' -d '{"Name":"silent"}' http://x/v1.41/networks/create >/dev/null
        docker network inspect -f '{{json .IPAM.Options}}' io bridge none-given silent; docker network rm io none-given silent`,
      stdout: '{"b":"c","foo":"bar"}\nnull\n{}\nnull\nio\nnone-given\nsilent\n',
    },
    {
      about: 'lists that were sent empty, and those that were not sent',
      script: `docker create --name cl --isolation default bb:1 >/dev/null; ${post} -d '{"Image":"bb:1"}' 'http://d/containers/create?name=raw' >/dev/null
        ${inspected('{{json .HostConfig.Dns}} {{json .HostConfig.Ulimits}} {{json .HostConfig.Devices}} {{.HostConfig.Isolation}}.')} cl raw; docker rm cl raw`,
      stdout: '[] [] [] default.\nnull null null .\ncl\nraw\n',
    },
    {
      about: 'no weight that was discarded',
      script: `w=300; docker create --name bw --blkio-weight 300 bb:1 2>&1 >/dev/null | grep -q 'Weight discarded' && w=0; test "$(${inspected('{{.HostConfig.BlkioWeight}}')} bw)" = $w && docker rm bw`,
      stdout: 'bw\n',
    },
    {
      about: 'steps of a build, and WORKDIR as it was written',
      script: `docker build -q -t st:1 - >/dev/null <<< 'FROM bb:1
WORKDIR /tmp/
RUN echo x > /y
CMD ["sh"]'
        i=st:1; for n in 1 2 3; do ${inspected('{{json .ContainerConfig.Cmd}} {{.Config.WorkingDir}}')} $i; i=$(${inspected('{{.Parent}}')} $i); done
        docker run --rm st:1 pwd; docker create --name sc st:1 a b >/dev/null; docker commit sc st:2 >/dev/null; ${inspected('{{json .ContainerConfig.Cmd}}')} st:2 bb:1; docker rm sc; docker rmi -f st:1 st:2 >/dev/null`,
      stdout: `["/bin/sh","-c","#(nop) ","CMD [\\"sh\\"]"] /tmp/
["/bin/sh","-c","echo x > /y"] /tmp/
["/bin/sh","-c","#(nop) WORKDIR /tmp/"] /tmp/
/tmp
["a","b"]
null
sc
`,
    },
  ])
})

describe('what cannot be built', () => {
  check([
    {
      about: 'a volume where the image has a file',
      script: `docker build - <<< 'FROM bb:1
VOLUME /new /etc /bin/busybox'; docker run --rm -v /bin/busybox bb:1 true; docker volume ls -q`,
      stdout: /^Sending build context[\s\S]*Step 2\/2 : VOLUME \/new \/etc \/bin\/busybox\n$/,
      stderr:
        /cannot mount volume over existing file, file exists \/bin\/busybox\n[\s\S]*cannot mount volume over existing file, file exists \/bin\/busybox\n/,
    },
    {
      about: 'with BuildKit, which says so; without it, by every client that is here',
      script: `for docker in $(which -a docker); do DOCKER_BUILDKIT=1 $docker build - <<< 'FROM bb:1' >/dev/null 2>err.$$ && echo "$docker built"; grep -Eq 'buildx component is missing|DOCKER_BUILDKIT=0' err.$$ || cat err.$$
        DOCKER_BUILDKIT=0 $docker build -q - <<< 'FROM bb:1' 2>&1 | grep -c ^sha256: | sort -u; done | sort -u; rm -f err.$$`,
      stdout: '1\n',
    },
  ])
})

describe('what reaches a process', () => {
  check([
    {
      about: 'exec has the limits, links and removed variables of its container',
      script: `docker run -d --name db -e PASS=1 bb:1 sleep 100 >/dev/null; docker run -d --name ex --ulimit nofile=123:456 --link db -e HOSTNAME bb:1 sleep 100 >/dev/null
        docker exec ex sh -c 'ulimit -n; ulimit -Hn'; docker exec ex env | grep -c -e DB_NAME=/ex/db -e HOSTNAME; docker rm -f ex db`,
      stdout: '123\n456\n1\nex\ndb\n',
    },
    {
      about: 'a link means its container, whatever its name is by now',
      script: `docker run -d --name r1 bb:1 sleep 100 >/dev/null; docker run -d --name r2 --link r1:al bb:1 sleep 100 >/dev/null; docker rename r1 r3
        docker exec r2 ping -c1 -W20 al >/dev/null && docker restart -t 0 r2 && docker inspect -f '{{.HostConfig.Links}}' r2; docker rm -f r2 r3`,
      stdout: 'r2\n[/r3:/r2/al]\nr2\nr3\n',
    },
    {
      about: 'a commit of what ends in that very moment',
      script: `for i in 1 2 3 4 5 6; do docker commit $(docker run -d --name ce bb:1 true) ce:1 | cut -c1-7; docker rm -f ce >/dev/null; done; docker rmi -f ce:1 >/dev/null`,
      stdout: 'sha256:\n'.repeat(6),
    },
    {
      about: 'a kill has killed when it returns',
      script: `for i in 1 2 3 4 5; do docker run -d --name kk bb:1 sleep 100 >/dev/null; docker kill kk; docker rm kk; done`,
      stdout: 'kk\nkk\n'.repeat(5),
    },
    {
      about: 'shared binds reach the host, on a mount that is shared',
      script: `d=$(mktemp -d); mount --bind $d $d; mount --make-private $d; docker run --rm -v $d:/x:shared bb:1 true 2>&1 | grep -o 'but it is not a shared mount'
        mount --make-shared $d; docker run --rm --privileged -v $d:/x:shared bb:1 sh -c 'mkdir /x/m && mount -t tmpfs t /x/m && touch /x/m/f'; ls $d/m; umount $d/m; umount $d; rm -r $d`,
      stdout: 'but it is not a shared mount\nf\n',
    },
    {
      about: 'hosts and names are read-only with --read-only; chains of shared networks; a cgroup parent that wants out',
      script: `docker run --rm --read-only bb:1 sh -c 'echo x >> /etc/hosts; touch /etc/resolv.conf' 2>&1 | grep -c 'Read-only file system'
        docker run -d --name c1 bb:1 sleep 100 >/dev/null; docker run -d --name c2 --network container:c1 bb:1 sleep 100 >/dev/null; docker run --rm --network container:c2 bb:1 grep -c . /etc/hosts | sed 's/[0-9]*/n/'; docker rm -f c2 c1
        docker run --rm --cgroup-parent ../../../berth-nowhere bb:1 true; echo $?; find /sys/fs/cgroup -maxdepth 2 -name berth-nowhere -exec rmdir {} +`,
      stdout: '2\nn\nc2\nc1\n0\n',
    },
    {
      about: "another container's anonymous volume goes with its last user; -v /path takes what --volumes-from brings",
      script: `docker run --name v1 -v /data bb:1 touch /data/f; docker run --name v2 --volumes-from v1 -v /data bb:1 ls /data; docker rm -v v1; docker volume ls -q | wc -l; docker rm -v v2; docker volume ls -q | wc -l`,
      stdout: 'f\nv1\n1\nv2\n0\n',
    },
    {
      about: 'files are copied into a volume before the first start, and network files out of a stopped container',
      script: `d=$(mktemp -d); echo x > $d/f; docker create --name cp -v cpv:/not/in/image bb:1 cat /not/in/image/f >/dev/null; docker cp $d/f cp:/not/in/image 2>/dev/null; docker start -a cp; docker cp cp:/etc/hostname - | tar xO | wc -c
        docker cp cp:/etc/passwd/ $d/y; echo $?; docker rm cp; docker volume rm cpv; rm -r $d`,
      stdout: 'x\n13\n1\ncp\ncpv\n',
      stderr: 'not a directory',
    },
    {
      about: 'commit changes variables in place and takes labels from the body',
      script: `docker run --name cm -e A=1 bb:1 true; docker commit -c 'ENV PATH=/foo:$A' -c 'ENV B=2' cm cm:1 >/dev/null; docker inspect -f '{{json .Config.Env}}' cm:1
        curl -s --unix-socket "\${DOCKER_HOST#unix://}" -H 'Content-Type: application/json' -d '{"Labels":{"k 1":"v 1"}}' 'http://d/commit?container=cm&repo=cm&tag=2' >/dev/null; docker inspect -f '{{index .Config.Labels "k 1"}}' cm:2; docker rm cm; docker rmi cm:1 cm:2 >/dev/null`,
      stdout: '["A=1","PATH=/foo:1","B=2"]\nv 1\ncm\n',
    },
  ])
})

describe('attach by WebSocket', () => {
  const socketOf = (path: string) => new WebSocket(`ws+unix:${host().socket}:${path}`)

  it('carries input and output, and ends with the container', async () => {
    const id = (await host().sh(`docker run -d -i --name ws bb:1 sh -c 'read line; echo got $line; read other'`)).stdout.trim()
    const socket = socketOf(`/v1.41/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`)
    let seen = ''
    socket.on('message', (data: Buffer) => {
      seen += data.toString()
    })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.send('one\n')
    await expect.poll(() => seen).toBe('got one\n')
    socket.send('two\n')
    await closed
    expect((await host().sh('docker wait ws; docker rm ws')).stdout).toBe('0\nws\n')
  })

  it('refuses what is not there, and plain requests', async () => {
    const refused = await new Promise((resolve) =>
      socketOf('/containers/nosuch/attach/ws').once('error', (error) => resolve(error.message)),
    )
    expect(refused).toContain('404')
    const plain = await host().sh(
      `docker create --name wp bb:1 >/dev/null; curl -s --unix-socket ${host().socket} http://d/containers/wp/attach/ws; docker rm wp`,
    )
    expect(plain.stdout).toContain('needs a WebSocket handshake')
  })
})

describe('networks and prune', () => {
  check([
    {
      about: 'predefined networks are left alone, in words; every prune is told',
      script: `docker network create bridge; docker run -d --name np bb:1 sleep 100 >/dev/null; docker network connect host np; docker network connect none np; docker update --cpus 0.5 np >/dev/null; docker update --cpu-quota 5000 np; docker rm -f np
        S=$(date +%s); docker container prune -f >/dev/null; docker network prune -f >/dev/null; docker volume prune -f >/dev/null; sleep 1; docker events --since $S --until $(date +%s) --filter event=prune --format '{{.Type}}' | sort -u | tr '\\n' ' '`,
      stdout: 'np\ncontainer network volume ',
      stderr:
        /operation is not permitted on predefined bridge network[\s\S]*cannot be disconnected from host network or connected to host network[\s\S]*private \(none\) mode[\s\S]*Cannot update container [0-9a-f]{64}: Conflicting options/,
    },
  ])
})

describe('what old clients read', () => {
  check([
    {
      about: "an image's volumes in ContainerConfig before 1.45, a container's as they were sent",
      script: `docker build -q -t vo:1 - >/dev/null 2>&1 <<< 'FROM bb:1
VOLUME /data'
        S="curl -s --unix-socket \${DOCKER_HOST#unix://}"; $S http://d/v1.38/images/vo:1/json | grep -o '"ContainerConfig":.*"DockerVersion' | grep -o '"Volumes":{[^}]*}}'
        $S -H 'Content-Type: application/json' -d '{"Image":"bb:1","Volumes":{"/v":{}},"HostConfig":{"Binds":["/tmp:/v"]}}' 'http://d/v1.38/containers/create?name=vo' >/dev/null; docker inspect -f '{{json .Config.Volumes}} {{len .Mounts}}' vo; docker rm vo; docker rmi vo:1 >/dev/null`,
      stdout: '"Volumes":{"/data":{}}\n{"/v":{}} 1\nvo\n',
    },
  ])
})
