/**
 * redis, nginx and PostgreSQL from Debian's packages, in images that our own `docker build` made: published ports, health checks, clients of the host, a clean
 * stop by each program's own signal, and data that outlives the container in a volume.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerHost, type Outcome, openDockerHost } from './docker.ts'
import { debianLayer, imageOf } from './images.ts'

let host: DockerHost
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-software-'))
  host = await openDockerHost({ 'debian-software:1': imageOf([debianLayer(['nginx-light', 'redis-server', 'postgresql'])]) })
}, 600_000)
afterAll(async () => {
  await host?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function build(tag: string, dockerfile: string): Promise<void> {
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  const built = await host.sh(`docker build -t ${tag} .`, { cwd: directory, timeoutMs: 120_000 })
  expect(built.status, built.stdout + built.stderr).toBe(0)
}

const ok = ({ stdout, stderr, status }: Outcome): string => {
  expect(status, stderr).toBe(0)
  return stdout.trim()
}
const docker = async (args: string) => ok(await host.sh(`docker ${args}`, { timeoutMs: 60_000 }))
const healthy = (name: string) =>
  expect.poll(() => docker(`inspect -f '{{.State.Health.Status}}' ${name}`), { timeout: 60_000, interval: 250 }).toBe('healthy')
const portOf = async (name: string, port: number) => Number((await docker(`port ${name} ${port}`)).split('\n')[0]?.split(':').at(-1))
/** Stops it and gives `exit code, killed for memory, error`. */
const stopped = async (name: string) => {
  await docker(`stop -t 30 ${name}`)
  return docker(`inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}' ${name}`)
}

/** One command of redis' protocol, as its client would send it. */
function redis(port: number, ...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.once('error', reject)
    socket.on('data', (bytes) => {
      answer += bytes
      if (answer.endsWith('\r\n')) socket.end()
    })
    socket.once('close', () => resolve(answer.trim()))
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
  })
}

it('redis keeps its data over containers', async () => {
  await build(
    'our-redis',
    `FROM debian-software:1
RUN install -d -o redis -g redis /data
VOLUME /data
WORKDIR /data
USER redis
EXPOSE 6379
HEALTHCHECK --interval=300ms --timeout=10s --retries=50 CMD ["redis-cli", "ping"]
CMD ["redis-server", "--protected-mode", "no", "--appendonly", "yes", "--appendfsync", "always"]`,
  )
  await docker('run -d --name cache -p 127.0.0.1::6379 -v cache-data:/data our-redis')
  await healthy('cache')
  const port = await portOf('cache', 6379)
  expect(await redis(port, 'PING')).toBe('+PONG')
  expect(await redis(port, 'SET', 'key', 'kept over containers')).toBe('+OK')
  expect(await docker('exec cache redis-cli get key')).toBe('kept over containers')
  expect(await stopped('cache')).toBe('0 false')
  expect(ok(await host.sh('docker logs cache 2>&1'))).toContain('Redis is now ready to exit, bye bye')
  await docker('rm cache')
  await docker('run -d --name cache -p 127.0.0.1::6379 -v cache-data:/data our-redis')
  await healthy('cache')
  expect(await redis(await portOf('cache', 6379), 'GET', 'key')).toContain('kept over containers')
  await docker('kill -s KILL cache')
  expect(await docker('wait cache')).toBe('137')
  await docker('start cache')
  await healthy('cache')
  expect(await redis(await portOf('cache', 6379), 'GET', 'key')).toContain('kept over containers')
  await docker('rm -f -v cache')
}, 120_000)

it('nginx serves, reloads and ends by its own signal', async () => {
  writeFileSync(join(directory, 'index.html'), 'served by nginx\n')
  await build(
    'our-nginx',
    `FROM debian-software:1
COPY <<EOF /etc/nginx/sites-enabled/default
server { listen 80 default_server; root /srv/www; }
EOF
COPY --chmod=644 index.html /srv/www/
RUN ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log && nginx -t
EXPOSE 80
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=300ms --timeout=10s --retries=50 CMD test -s /run/nginx.pid
CMD ["nginx", "-g", "daemon off;"]`,
  )
  await docker('run -d --name web -p 127.0.0.1::80 --read-only --tmpfs /run --tmpfs /var/lib/nginx our-nginx')
  await healthy('web')
  const url = `http://127.0.0.1:${await portOf('web', 80)}/`
  expect(ok(await host.sh(`curl -sS --retry 5 --retry-connrefused ${url}`))).toBe('served by nginx')
  await docker('kill -s HUP web')
  expect(ok(await host.sh(`for i in 1 2 3 4 5 6 7 8; do curl -sS ${url} & done; wait`)).split('\n')).toHaveLength(8)
  await expect.poll(async () => (await docker('logs web')).match(/"GET \/ HTTP\/1\.1" 200/g)?.length).toBe(9)
  expect(await stopped('web')).toBe('0 false')
  await docker('rm web')
}, 120_000)

it('PostgreSQL makes its cluster on the first start, ends fast and clean, and goes on where it was', async () => {
  await build(
    'our-postgres',
    `FROM debian-software:1
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN install -d -o postgres -g postgres -m 700 $PGDATA
COPY --chmod=755 <<"EOF" /usr/local/bin/start-postgres
#!/bin/sh
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --auth=trust --no-sync --encoding=UTF8 >/dev/null
  echo "host all all all trust" >> "$PGDATA/pg_hba.conf"
fi
exec postgres -c listen_addresses='*' "$@"
EOF
VOLUME $PGDATA
USER postgres
EXPOSE 5432
STOPSIGNAL SIGINT
HEALTHCHECK --interval=500ms --timeout=10s --retries=100 CMD ["pg_isready", "-q", "-h", "127.0.0.1"]
ENTRYPOINT ["/usr/local/bin/start-postgres"]`,
  )
  const run = '-p 127.0.0.1::5432 --shm-size 128m -v pg-data:/var/lib/postgresql/data our-postgres -c max_connections=20'
  await docker(`run -d --name db ${run}`)
  await healthy('db')
  const psql = async (sql: string) =>
    ok(await host.sh(`psql -h 127.0.0.1 -p ${await portOf('db', 5432)} -U postgres -At`, { input: sql, timeoutMs: 60_000 }))
  expect(await psql('create table t as select generate_series(1, 20000) as n; select count(*), sum(n) from t;')).toContain(
    '20000|200010000',
  )
  expect(await docker('exec db psql -h 127.0.0.1 -Atc "show max_connections"')).toBe('20')
  expect(await stopped('db')).toBe('0 false')
  expect(ok(await host.sh('docker logs db 2>&1'))).toContain('database system is shut down')
  await docker('rm -v db')
  await docker(`run -d --name db ${run}`)
  await healthy('db')
  expect(await psql('select count(*) from t;')).toBe('20000')
  expect(ok(await host.sh('docker logs db 2>&1'))).toContain('database system was shut down at')
  await docker('restart -t 30 db')
  await healthy('db')
  expect(await psql('select max(n) from t;')).toBe('20000')
  await docker('rm -f -v db')
}, 120_000)
