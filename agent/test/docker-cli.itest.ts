/** The real docker command line against our engine. What is expected was compared with Docker Engine 20.10 side by side. */
import { describe } from 'vitest'
import { dockerSuite } from './docker.ts'

const { check } = dockerSuite()

describe('run', () => {
  check([
    { about: 'prints', script: 'docker run --rm bb:1 echo hello', stdout: 'hello\n' },
    { about: 'keeps the streams apart', script: "docker run --rm bb:1 sh -c 'echo out; echo err >&2' 2>/dev/null", stdout: 'out\n' },
    { about: 'gives the exit status', script: "docker run --rm bb:1 sh -c 'exit 7'", status: 7 },
    {
      about: 'gives 128+n for a signal',
      script:
        'docker run --rm --name sig bb:1 sleep 100 & for i in $(seq 100); do docker kill sig >/dev/null 2>&1 && break; sleep 0.1; done; wait $!',
      status: 137,
    },
    {
      about: 'ends with 127 for no such command',
      script: 'docker run --rm bb:1 nosuch',
      status: 127,
      stderr: 'executable file not found in $PATH',
    },
    { about: 'ends with 126 for a directory', script: 'docker run --rm bb:1 /etc', status: 126 },
    {
      about: 'ends with 125 for a refusal',
      script: 'docker run --rm -m 1k bb:1 true',
      status: 125,
      stderr: 'Minimum memory limit allowed is 6MB',
    },
    { about: 'takes stdin', script: 'docker run --rm -i bb:1 cat', input: 'typed', stdout: 'typed' },
    { about: 'loses nothing on the way in', script: 'head -c 3000000 /dev/zero | docker run --rm -i bb:1 wc -c', stdout: '3000000\n' },
    {
      about: 'loses nothing of a process that ends at once, five times',
      script: "for i in 1 2 3 4 5; do docker run --rm bb:1 sh -c 'head -c 5000000 /dev/zero' | wc -c; done",
      stdout: '5000000\n'.repeat(5),
    },
    {
      about: 'sets user, directory and environment',
      script: 'docker run --rm -u 1000:2000 -w /new/dir -e A=1 bb:1 sh -c \'echo "$(id -u):$(id -g) $(pwd) $A"\'',
      stdout: '1000:2000 /new/dir 1\n',
    },
    {
      about: 'refuses an unknown user',
      script: 'docker run --rm -u nosuch bb:1 true',
      status: 125,
      stderr: 'unable to find user nosuch: no matching entries in passwd file',
    },
    { about: 'gives a terminal', script: `script -qec 'docker run --rm -t bb:1 tty' /dev/null`, stdout: /\/dev\/(pts\/0|console)/ },
    {
      about: 'names a taken name',
      script: 'docker create --name dup bb:1 >/dev/null; docker create --name dup bb:1; docker rm dup',
      stdout: 'dup\n',
      stderr: 'Conflict. The container name "/dup" is already in use by container',
    },
    {
      about: 'says what a missing image is',
      script: 'docker run --rm --pull never nosuch:1 true',
      status: 125,
      stderr: 'No such image: nosuch:1',
    },
    {
      about: 'does not pull for a missing container',
      script: 'docker run --rm --network container:nosuch bb:1 true',
      status: 125,
      stderr: /^docker: Error response from daemon: No such container: nosuch/,
    },
  ])
})

describe('the life of a container', () => {
  check([
    {
      about: 'start, stop, kill, remove',
      script: `docker run -d --name life bb:1 sleep 100 >/dev/null
        docker ps --format '{{.Names}} {{.Image}} {{.Command}} {{.State}}'
        docker rm life; docker stop -t 1 life; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' life
        docker start life; docker kill life; docker rm life`,
      stdout: 'life bb:1 "sleep 100" running\nlife\nexited 137\nlife\nlife\nlife\n',
      stderr: /You cannot remove a running container [0-9a-f]{64}|cannot remove container/,
    },
    {
      about: 'waits',
      script: `docker run -d --name ww bb:1 sh -c 'sleep 0.5; exit 3' >/dev/null; docker wait ww; docker rm ww`,
      stdout: '3\nww\n',
    },
    {
      about: 'pauses and renames',
      script: `docker run -d --name pa bb:1 sleep 100 >/dev/null; docker pause pa; docker inspect -f '{{.State.Status}}' pa; docker unpause pa; docker rename pa pb; docker rm -f pb`,
      stdout: 'pa\npaused\npa\npb\n',
    },
    {
      about: 'attaches',
      script: `docker run -d --name at bb:1 sh -c 'sleep 1.5; echo one; exit 4' >/dev/null; docker attach at; echo $?; docker rm at`,
      stdout: 'one\n4\nat\n',
    },
    {
      about: 'half-closes an attached stdin',
      script: `docker create -i --name sa bb:1 sh -c 'cat; echo end' >/dev/null; echo hey | docker start -ai sa; docker rm sa`,
      stdout: 'hey\nend\nsa\n',
    },
    {
      about: 'follows logs',
      script: `docker run -d --name lo bb:1 sh -c 'for i in 1 2 3; do echo $i; sleep 0.1; done' >/dev/null; docker logs -f lo; docker logs --tail 1 lo; docker rm -f lo`,
      stdout: '1\n2\n3\n3\nlo\n',
    },
    {
      about: 'tells the diff',
      script: `docker run --name df bb:1 sh -c 'echo x > /tmp/new; mkdir /d' ; docker diff df; docker rm df`,
      stdout: /^A \/d\nC \/tmp\nA \/tmp\/new\ndf\n$/,
    },
    {
      about: 'commits',
      script: `docker run --name cm bb:1 sh -c 'echo x > /new'; docker commit -c 'CMD ["cat","/new"]' cm cmi:1 >/dev/null; docker run --rm cmi:1; docker rm cm; docker rmi cmi:1 | head -1`,
      stdout: 'x\ncm\nUntagged: cmi:1\n',
    },
    {
      about: 'restarts on failure, so often',
      script: `docker run -d --name rs --restart on-failure:2 bb:1 sh -c 'exit 3' >/dev/null; for i in $(seq 100); do [ "$(docker inspect -f '{{.RestartCount}} {{.State.Status}}' rs)" = '2 exited' ] && break; sleep 0.1; done; docker inspect -f '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' rs; docker rm -f rs`,
      stdout: '2 exited 3\nrs\n',
    },
    {
      about: 'kills for want of memory',
      script: `docker run --name oo -m 20m --memory-swap 20m bb:1 sh -c 'tail /dev/zero'; docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oo; docker rm oo`,
      stdout: 'true 137\noo\n',
    },
  ])
})

describe('exec', () => {
  check([
    {
      about: 'runs, gives statuses, takes input',
      script: `docker run -d --name ee bb:1 sleep 100 >/dev/null
        docker exec ee echo hi; docker exec ee sh -c 'exit 5'; echo $?; docker exec ee nosuch; echo $?; docker exec ee /etc >/dev/null; echo $?
        echo in | docker exec -i ee cat; docker exec -u nobody ee id -u; docker exec -w /tmp -e X=1 ee sh -c 'pwd; echo $X'
        head -c 2000000 /dev/zero | docker exec -i ee wc -c; docker exec ee sh -c 'head -c 2000000 /dev/zero' | wc -c; docker rm -f ee`,
      stdout:
        /^hi\n5\nOCI runtime exec failed: .*executable file not found in \$PATH: unknown\r\n127\n126\nin\n65534\n\/tmp\n1\n2000000\n2000000\nee\n$/,
    },
    {
      about: 'needs a running container',
      script: `docker run --name es bb:1 true; docker exec es true; docker rm es`,
      stdout: 'es\n',
      stderr: /is not running/,
    },
  ])
})

describe('networks and ports', () => {
  check([
    {
      about: 'publishes on every address, loopback too, and for other containers',
      script: `docker run -d --name ht -p 26083:80 bb:1 sh -c 'echo hello > /tmp/index.html; httpd -f -p 80 -h /tmp' >/dev/null; for i in $(seq 100); do curl -s 127.0.0.1:26083 && break; sleep 0.1; done; curl -s '[::1]:26083'; docker port ht 80
        G=$(docker network inspect bridge -f '{{(index .IPAM.Config 0).Gateway}}')
        docker run --rm bb:1 sh -c "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 $G 26083 | tail -1"
        docker rm -f ht; curl -s -m 2 127.0.0.1:26083; echo $?`,
      stdout: 'hello\nhello\n0.0.0.0:26083\n[::]:26083\nhello\nht\n7\n',
    },
    {
      about: 'refuses a taken port and leaves nothing',
      script: `docker run -d --name p1 -p 26082:80 bb:1 sleep 100 >/dev/null; docker run -d --name p2 -p 26082:80 bb:1 sleep 100 >/dev/null; echo $?; docker inspect -f '{{.State.Status}}' p2; docker rm -f p1 p2; docker run --rm -p 26082:80 bb:1 true; echo $?`,
      stdout: '125\ncreated\np1\np2\n0\n',
      stderr: 'Bind for 0.0.0.0:26082 failed: port is already allocated',
    },
    {
      about: 'chooses random ports',
      script: `docker run -d --name rp -P --expose 80 --expose 81/udp bb:1 sleep 100 >/dev/null; docker port rp | sed 's/:[0-9]*$/:N/' | sort; docker rm -f rp`,
      stdout: '80/tcp -> 0.0.0.0:N\n80/tcp -> [::]:N\n81/udp -> 0.0.0.0:N\n81/udp -> [::]:N\nrp\n',
    },
    {
      about: 'answers names and aliases in a network of its own',
      script: `docker network create n1 >/dev/null; docker run -d --name s1 --network n1 --network-alias web bb:1 sh -c 'echo hi > /tmp/index.html; httpd -f -p 80 -h /tmp' >/dev/null
        docker run --rm --network n1 bb:1 sh -c 'for i in $(seq 100); do wget -qO- http://s1 && break; sleep 0.1; done; wget -qO- http://web'; docker rename s1 s2; docker run --rm --network n1 bb:1 wget -qO- http://s2
        docker network rm n1; docker rm -f s2; docker network rm n1`,
      stdout: 'hi\nhi\nhi\ns2\nn1\n',
      stderr: /has active endpoints/,
    },
    {
      about: 'connects and disconnects a running container',
      script: `docker network create n2 >/dev/null; docker run -d --name s3 bb:1 sleep 100 >/dev/null; docker network connect --alias foo n2 s3
        docker exec s3 ip -o -4 addr | awk '{print $2}' | tr '\\n' ' '; docker run --rm --network n2 bb:1 ping -c2 -W20 foo >/dev/null; echo $?
        docker network disconnect n2 s3; docker exec s3 ip -o -4 addr | awk '{print $2}' | tr '\\n' ' '; docker rm -f s3; docker network rm n2`,
      stdout: 'lo eth0 eth1 0\nlo eth0 s3\nn2\n',
    },
    {
      about: 'keeps the address plan that was asked for',
      script: `docker network create --subnet 10.199.0.0/24 --gateway 10.199.0.1 --ip-range 10.199.0.128/25 -o com.docker.network.driver.mtu=1400 n3 >/dev/null
        docker run --rm --network n3 bb:1 sh -c 'ip -o -4 addr show eth0 | awk "{print \\$4}"; cat /sys/class/net/eth0/mtu'; docker run --rm --network n3 --ip 10.199.0.77 bb:1 sh -c 'ip -o -4 addr show eth0 | awk "{print \\$4}"'
        docker network create --subnet 10.199.0.0/25 n4; docker network rm n3`,
      stdout: '10.199.0.128/24\n1400\n10.199.0.77/24\nn3\n',
      stderr: 'Pool overlaps with other one on this address space',
    },
    {
      about: 'shares a namespace',
      script: `docker run -d --name nc bb:1 sh -c 'echo hi > /tmp/index.html; httpd -f -p 80 -h /tmp' >/dev/null; docker run --rm --network container:nc bb:1 sh -c 'for i in $(seq 100); do wget -qO- http://127.0.0.1 2>/dev/null && break; sleep 0.1; done'; docker rm -f nc`,
      stdout: 'hi\nnc\n',
    },
    {
      about: 'links',
      script: `docker run -d --name ln bb:1 sleep 100 >/dev/null; docker run --rm --link ln:al bb:1 ping -c2 -W20 al >/dev/null; echo $?; docker rm -f ln`,
      stdout: '0\nln\n',
    },
  ])
})

describe('data', () => {
  check([
    {
      about: 'keeps volumes',
      script: `docker volume create v1; docker run --rm -v v1:/d bb:1 sh -c 'echo x > /d/f'; docker run --rm -v v1:/d:ro bb:1 sh -c 'cat /d/f; touch /d/g'; docker volume rm v1; docker volume rm v1`,
      stdout: 'v1\nx\nv1\n',
      stderr: /Read-only file system\n.*get v1: no such volume/s,
      status: 1,
    },
    {
      about: 'refuses a volume in use',
      script: `docker run -d --name vu -v v2:/d bb:1 sleep 100 >/dev/null; docker volume rm v2; docker rm -f vu; docker volume rm v2`,
      stdout: 'vu\nv2\n',
      stderr: /volume is in use - \[[0-9a-f]{64}\]/,
    },
    {
      about: 'copies in and out',
      script: `d=$(mktemp -d); echo data > $d/f; docker create --name cp bb:1 cat /tmp/f >/dev/null; docker cp $d/f cp:/tmp/ 2>/dev/null; docker start -a cp; docker cp cp:/tmp/f $d/back 2>/dev/null; cat $d/back; docker cp cp:/nosuch $d; docker rm cp; rm -r $d`,
      stdout: 'data\ndata\ncp\n',
      stderr: 'Could not find the file /nosuch in container cp',
    },
    {
      about: 'saves and loads',
      script: `f=$(mktemp); docker tag bb:1 sv:1; docker save sv:1 -o $f; docker rmi sv:1; docker load -i $f; docker rmi sv:1 | head -1; rm $f`,
      stdout: 'Untagged: sv:1\nLoaded image: sv:1\nUntagged: sv:1\n',
    },
  ])
})

describe('answers', () => {
  check([
    {
      about: 'inspect knows what was asked for',
      script: `docker create --name in -m 100m --cpus 1.5 -p 26090:80 -v inv:/x:ro --label a=b -e A=1 --restart always bb:1 sleep 1 >/dev/null
        docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{json .HostConfig.PortBindings}} {{json .HostConfig.Binds}} {{.Config.Labels}} {{json .Config.Env}} {{.HostConfig.RestartPolicy.Name}} {{.Path}} {{.Args}}' in; docker rm in; docker volume rm inv`,
      stdout:
        /^104857600 209715200 1500000000 {"80\/tcp":\[{"HostIp":"","HostPort":"26090"}\]} \["inv:\/x:ro"\] map\[a:b\] \["A=1","PATH=[^"]*"\] always sleep \[1\]\nin\ninv\n$/,
    },
    {
      about: 'events are told in order',
      script: `S=$(date +%s); docker run --rm --name ev bb:1 true; sleep 1; docker events --since $S --until $(date +%s) --filter container=ev --format '{{.Type}} {{.Action}} {{.Actor.Attributes.exitCode}}' | tr '\\n' ';'`,
      stdout:
        /^container create <no value>;container attach <no value>;container start <no value>;container die 0;container destroy <no value>;$/,
    },
    { about: 'unknown filters are refused', script: 'docker ps --filter foo=bar', status: 1, stderr: /invalid filter 'foo'/i },
    { about: 'swarm is said not to be here', script: 'docker node ls', status: 1, stderr: /not a swarm manager/ },
    {
      about: 'a newer API is refused in words',
      script: `curl -s --unix-socket "\${DOCKER_HOST#unix://}" http://d/v1.99/info`,
      stdout: /client version 1\.99 is too new\. Maximum supported API version is 1\.\d+/,
    },
    {
      about: 'stats',
      script: `docker run -d --name st bb:1 sleep 100 >/dev/null; docker stats --no-stream --format '{{.Name}} {{.PIDs}}' st; docker top st -o pid,comm | tail -1 | awk '{print $2}'; docker rm -f st`,
      stdout: 'st 1\nsleep\nst\n',
    },
  ])
})
