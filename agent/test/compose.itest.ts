/** docker-compose v1 (docker-py underneath) with a project of two services, a network, a volume and a published port. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerHost, openDockerHost } from './docker.ts'
import { freePort } from './registry.ts'

const projectOn = (port: number) => `
version: "3.7"
services:
  web:
    image: bb:1
    command: sh -c 'echo hello > /tmp/index.html; httpd -f -p 80 -h /tmp'
    ports: ["${port}:80"]
    networks: [front]
    volumes: ["data:/data"]
    depends_on: [db]
    healthcheck: {test: ["CMD", "test", "-f", "/tmp/index.html"], interval: 300ms}
  db:
    image: bb:1
    command: sleep 1000
    networks: {front: {aliases: [database]}}
    environment: [A=1]
    restart: unless-stopped
networks: {front: {}}
volumes: {data: {}}
`
let host: DockerHost
let directory: string
let port: number
let project: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-compose-'))
  host = await openDockerHost()
  port = await freePort()
  project = projectOn(port)
  writeFileSync(join(directory, 'docker-compose.yml'), project)
})
afterAll(async () => {
  await host?.close()
  rmSync(directory, { recursive: true, force: true })
})

it('brings a project up, works with it and takes it down', async () => {
  const compose = (args: string) => host.sh(`docker-compose -p proj ${args}`, { cwd: directory })
  const up = await compose('up -d')
  expect(up.status, up.stderr).toBe(0)
  const { stdout: page } = await host.sh(`for i in $(seq 100); do curl -sf 127.0.0.1:${port} && break; sleep 0.1; done`)
  expect(page).toBe('hello\n')
  expect((await compose('ps')).stdout).toMatch(new RegExp(`proj_web_1 .* Up .*0\\.0\\.0\\.0:${port}->80/tcp`))
  expect((await compose('exec -T web ping -c2 -W20 database')).stdout).toMatch(/[12] packets received/)
  expect((await compose('run --rm db sh -c "echo one-off"')).stdout).toContain('one-off')
  expect((await compose('up -d --scale db=2')).status).toBe(0)
  expect((await compose('restart -t 0 db')).status).toBe(0)
  expect((await compose('up -d')).stderr).toContain('up-to-date')
  // A changed service is made anew with the volumes of its old container.
  writeFileSync(join(directory, 'docker-compose.yml'), project.replace('[A=1]', '[A=2]'))
  const recreated = await compose('up -d -t 0')
  expect(recreated.status, recreated.stderr).toBe(0)
  expect((await compose(`exec -T db sh -c 'echo $A'`)).stdout).toBe('2\n')
  expect((await compose('logs --no-color')).stdout).toContain('Attaching to')
  const down = await compose('down -v -t 0')
  expect(down.status, down.stderr).toBe(0)
  expect((await host.sh('docker ps -aq; docker volume ls -q; docker network ls -q --filter type=custom')).stdout).toBe('')
})
