import { expect, it } from 'vitest'
import { linkEnvironment } from './link-environment.ts'

it('says where the linked container is, as Docker does', () => {
  expect(
    linkEnvironment({ child: 'web', alias: 'my-db', ipv4: '172.17.0.5', exposedPorts: ['6379/tcp', '53/udp'], env: ['A=1', 'PATH=/x'] }),
  ).toEqual([
    'MY_DB_NAME=/web/my-db',
    'MY_DB_PORT=udp://172.17.0.5:53',
    'MY_DB_PORT_53_UDP=udp://172.17.0.5:53',
    'MY_DB_PORT_53_UDP_ADDR=172.17.0.5',
    'MY_DB_PORT_53_UDP_PORT=53',
    'MY_DB_PORT_53_UDP_PROTO=udp',
    'MY_DB_PORT_6379_TCP=tcp://172.17.0.5:6379',
    'MY_DB_PORT_6379_TCP_ADDR=172.17.0.5',
    'MY_DB_PORT_6379_TCP_PORT=6379',
    'MY_DB_PORT_6379_TCP_PROTO=tcp',
    'MY_DB_ENV_A=1',
  ])
})
