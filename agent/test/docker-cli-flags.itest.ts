/** Flags of the docker command line, value by value, compared with Docker Engine side by side. */
import { describe } from 'vitest'
import { dockerSuite } from './docker.ts'

const { check } = dockerSuite()

describe('containers', () => {
  check([
    {
      about: 'an attached client that has no more input does not end the input of the others',
      script: `docker run -di --name ka bb:1 sh -c 'while read -r line; do echo "got $line"; done; echo over' >/dev/null
        for word in one two; do python3 - $word <<'EOF'
import os, socket, sys
client = socket.socket(socket.AF_UNIX); client.settimeout(10); client.connect(os.environ['DOCKER_HOST'][7:])
client.sendall(b'POST /v1.41/containers/ka/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: tcp\\r\\n\\r\\n')
client.sendall(sys.argv[1].encode() + b'\\n'); client.shutdown(socket.SHUT_WR)
seen = b''
while b'got ' + sys.argv[1].encode() not in seen: seen += client.recv(4096)
EOF
        done; docker inspect -f '{{.State.Status}}' ka; docker logs ka; docker rm -f ka >/dev/null`,
      stdout: 'running\ngot one\ngot two\n',
    },
    {
      about: 'a tmpfs where nothing was is everybody’s, one over a directory is like it, and a mode is kept',
      script: `docker run --rm -u 1000 --tmpfs /cache/new --tmpfs /etc --tmpfs /own:mode=750 bb:1 stat -c '%a %n' /cache/new /etc /own`,
      stdout: '1777 /cache/new\n755 /etc\n750 /own\n',
    },
    {
      about: 'refusals: a bind both rw and ro, cores below zero, an address without a network',
      script: `for o in '-v /tmp:/x:rw,ro' '--cpus -1' '--network none --ip 10.1.2.3' '--log-opt tag={{.Nope}}'; do docker run --rm $o bb:1 true 2>&1 | grep -o 'daemon: .*' | cut -c9- | sed 's/[0-9]*\\.00.*//'; done`,
      stdout: `invalid mode: rw,ro
Range of CPUs is from 0.01 to 
user specified IP address is supported on user defined networks only
failed to initialize logging driver: template: log-tag: cannot evaluate {{.Nope}}; the fields are .ID .FullID .Name .ImageID .ImageFullID .ImageName .DaemonName
`,
    },
    {
      about: 'logs --details tells the tag',
      script: `docker run --name lt --label a=1 --log-opt labels=a --log-opt 'tag={{.Name}}/{{ .ImageName }}-x' bb:1 echo said; docker logs --details lt; docker rm lt >/dev/null`,
      stdout: 'said\na=1,tag=lt%2Fbb%3A1-x said\n',
    },
    {
      about: 'ps shows ports of what runs, by a way that leads there',
      script: `docker create --name pc --expose 9 bb:1 >/dev/null; docker network create --internal pin >/dev/null
        docker run -d --name pi --network pin -p 18085:80 --expose 99 bb:1 sleep 100 >/dev/null; docker run -d --name pr --expose 7 bb:1 sleep 100 >/dev/null
        docker ps -a --format '{{.Names}} {{.Ports}}' | sort; docker inspect -f '{{json .NetworkSettings.Ports}}' pi pr; docker ps -aq -f isolation=default | wc -l
        docker rm -f pc pi pr >/dev/null; docker network rm pin`,
      stdout: 'pc \npi \npr 7/tcp\n{}\n{"7/tcp":null}\n3\npin\n',
    },
  ])
})

describe('networks', () => {
  check([
    {
      about: 'a container is known by its own host name too; links of a network are told by the network',
      script: `docker network create nh >/dev/null; docker run -d --name h1 --network nh -h myhost bb:1 sleep 100 >/dev/null
        docker run -d --name h2 --network nh --link h1:x bb:1 sleep 100 >/dev/null; docker exec h2 ping -c1 -w3 myhost | grep -c '1 packets received'
        docker inspect -f '{{json .HostConfig.Links}} {{json .NetworkSettings.Networks.nh.Links}}' h2; docker rm -f h1 h2 >/dev/null; docker network rm nh`,
      stdout: '1\nnull ["h1:x"]\nnh\n',
    },
  ])
})

describe('prune', () => {
  check([
    {
      about: 'system prune by a label that nothing has; a volume’s bad name is named once',
      script: `docker create --name sp bb:1 >/dev/null; docker system prune -f --filter label=nosuch; docker ps -aq | wc -l; docker rm sp >/dev/null; docker volume create 'bad name' 2>&1 | cut -c1-66`,
      stdout: 'Total reclaimed space: 0B\n1\nError response from daemon: create bad name: "bad name" includes i\n',
    },
  ])
})

describe('images from elsewhere', () => {
  // python3's server speaks HTTP/1.0: no length in chunks, the connection ends with the file.
  const served = (
    script: string,
  ) => `d=$(mktemp -d); docker save bb:1 >$d/saved.tar; docker export $(docker create --name ex bb:1) >$d/root.tar; docker rm ex >/dev/null
    python3 -u -m http.server --bind 127.0.0.1 --directory $d 0 >$d/log 2>&1 & server=$!
    until port=$(grep -o 'port [0-9]*' $d/log | cut -c6-) && [ -n "$port" ]; do sleep 0.05; done
    ${script}
    kill $server; wait $server 2>/dev/null; rm -r $d`
  check([
    {
      about: 'import takes a URL, and says what it could not fetch',
      script:
        served(`docker import -c 'CMD ["echo","imported"]' http://127.0.0.1:$port/root.tar from-url:1 | sed -E "s/:$port//; s/[0-9a-f]{64}/ID/" | grep -v Importing
        docker run --rm from-url:1; docker rmi from-url:1 >/dev/null
        docker import http://127.0.0.1:$port/none.tar 2>&1 | sed "s/:$port//"`),
      stdout: `Downloading from http://127.0.0.1/root.tar
sha256:ID
imported
Error response from daemon: the archive cannot be downloaded: failed to GET http://127.0.0.1/none.tar with status 404
`,
    },
    {
      about: 'ADD of a URL, from a server that ends the connection while the file is still being written',
      script:
        served(`head -c 3000000 /dev/urandom >$d/big; printf 'FROM bb:1\nADD http://127.0.0.1:'$port'/big /big\n' | docker build -q -t added - >/dev/null
        docker run --rm added cat /big | cmp - $d/big && echo same; docker rmi added >/dev/null`),
      stdout: 'same\n',
    },
  ])
})
