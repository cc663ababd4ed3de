import { runProgram } from '../native/programs.ts'

/** Where a container of a user network finds its name server, as in Docker; programs have it in their configuration. */
export const nameServerAddress = '127.0.0.11'

/** The monitor makes the same rules at a start: native/monitor/name_server.c. */
const table = 'berth_names'

/**
 * Points 127.0.0.11 inside a running process's network namespace to another name service: after it has joined or left a network.
 * @param server address of the service, IPv4; null = there is none any more
 */
export async function moveNameServer(pid: number, server: string | null): Promise<void> {
  const inside = ['-t', String(pid), '-n']
  const rules = server === null ? '' : `add table ip ${table}\n${tableText(server)}`
  if (server !== null) await runProgram('nsenter', [...inside, 'sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1'])
  await runProgram('nsenter', [...inside, 'nft', '-f', '-'], { stdin: `add table ip ${table}\ndelete table ip ${table}\n${rules}` })
}

function tableText(server: string): string {
  return `table ip ${table} {
  chain guard { type filter hook prerouting priority raw; iif != 1 ip daddr 127.0.0.0/8 drop; }
  chain output { type nat hook output priority -100; ip daddr ${nameServerAddress} meta l4proto { tcp, udp } th dport 53 dnat to ${server}; }
  chain source { type nat hook postrouting priority srcnat; ip saddr 127.0.0.0/8 ip daddr ${server} masquerade; }
}
`
}
