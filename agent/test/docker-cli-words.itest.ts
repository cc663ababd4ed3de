/** What the docker command line is told when something is wrong: sentences and statuses that scripts match on, compared with Docker Engine 20.10 side by side. */
import { cpus } from 'node:os'
import { describe } from 'vitest'
import { type Case, dockerSuite } from './docker.ts'

const { check } = dockerSuite()

/** `docker run` with options that are refused: each line of stderr that names a reason is one of `reasons`, in order. */
function refused(about: string, options: string[], reasons: string[]): Case {
  const script = options.map((option) => `docker run --rm ${option} bb:1 true 2>&1 | grep -o 'daemon: .*' | cut -c9-`).join('\n')
  return { about, script, stdout: `${reasons.join('\n')}\n` }
}

describe('what cannot start', () => {
  const failed = 'failed to create shim task: OCI runtime create failed: unable to start container process: '
  check([
    refused(
      'names program, directory, sysctl and mount as Docker does',
      ['--entrypoint nosuch', '--entrypoint /etc', '--entrypoint /nosuch', '-w /etc/passwd', '--sysctl net.nosuch=1'],
      [
        `${failed}exec: "nosuch": executable file not found in $PATH: unknown`,
        `${failed}exec: "/etc": permission denied: unknown`,
        `${failed}exec: "/nosuch": stat /nosuch: no such file or directory: unknown`,
        'Cannot mkdir: /etc/passwd is not a directory',
        `${failed}write sysctl net/nosuch = "1": no such file or directory: unknown`,
      ],
    ),
    {
      about: 'a file on a directory and the other way round',
      script: 'docker run --rm -v /etc/passwd:/etc bb:1 true; docker run --rm -v /tmp:/etc/passwd bb:1 true',
      status: 125,
      stderr: /(not a directory: unknown: Are you trying to mount a directory onto a file[\s\S]*){2}/,
    },
    {
      about: 'is told by inspect too, and by exec',
      script: `docker create --name ns bb:1 nosuch >/dev/null; docker start ns 2>/dev/null; docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}' ns; docker rm ns
        docker run -d --name nx bb:1 sleep 100 >/dev/null; docker exec -d nx nosuch 2>&1; docker exec -w /nosuch nx true; echo $?; docker rm -f nx`,
      stdout: `created 127 ${failed}exec: "nosuch": executable file not found in $PATH: unknown
ns
Error response from daemon: OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown
OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: unknown\r
126
nx
`,
    },
    {
      about: 'a link to what does not run, or shares the host',
      script: `docker create --name l1 bb:1 >/dev/null; docker run --rm --name l2 --link l1:x bb:1 true; docker rm l1
        docker run -d --name l3 --network host bb:1 sleep 100 >/dev/null; docker run --rm --link l3 bb:1 true; docker rm -f l3; docker run --rm --link nosuch bb:1 true`,
      stdout: 'l1\nl3\n',
      status: 125,
      stderr:
        /Cannot link to a non running container: \/l1 AS \/l2\/x[\s\S]*host type networking can't be used with links[\s\S]*could not get container for nosuch: No such container: nosuch/,
    },
    {
      about: 'a namespace of what does not run, or does not share',
      script: `docker create --name j1 bb:1 >/dev/null; docker run --rm --pid container:j1 bb:1 true; docker run --rm --ipc container:j1 bb:1 true; docker rm j1
        docker run -d --name j2 bb:1 sleep 100 >/dev/null; docker run --rm --ipc container:j2 bb:1 true; docker rm -f j2; docker run --rm --name me --network container:me bb:1 true`,
      stdout: 'j1\nj2\n',
      status: 125,
      stderr:
        /container [0-9a-f]{64} is not running[\s\S]*can't join IPC of container [0-9a-f]{64}: container [0-9a-f]{64} is not running[\s\S]*non-shareable IPC[\s\S]*cannot join own network/,
    },
  ])
})

describe('what is refused', () => {
  check([
    refused(
      'users, groups, devices',
      ['-u -1', '-u 2147483648', '--group-add nosuch', '--device /etc/apt'],
      [
        'uids and gids must be in range 0-2147483647: the uid -1 is not',
        'uids and gids must be in range 0-2147483647: the uid 2147483648 is not',
        'Unable to find group nosuch: no matching entries in group file',
        'error gathering device information while adding custom device "/etc/apt": not a device node',
      ],
    ),
    refused(
      'limits',
      [
        '--cpus 1000',
        '--cpuset-cpus x',
        '--cpu-shares 1',
        '--cpu-shares -1',
        '--cpu-period -3',
        '--oom-score-adj 2000',
        '--device-read-bps /dev/nosuch:1mb',
      ],
      [
        cpuRange(),
        'Invalid value x for cpuset cpus: invalid format: x',
        'the minimum allowed cpu-shares is 2',
        'shares: invalid argument: -1 is negative',
        'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
        'Invalid value 2000, range for oom score adj is [-1000, 1000]',
        'stat /dev/nosuch: no such file or directory; block limits are for devices of this host',
      ],
    ),
    refused(
      'mounts',
      [
        '-v /tmp:/',
        '-v foo/bar:/x',
        '-v named:/x:shared',
        '-v /tmp:/x:copy',
        '--volumes-from nosuch:bar',
        '--mount type=bind,src=/nosuch,dst=/x',
      ],
      [
        `invalid volume specification: '/tmp:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
        'create foo/bar: "foo/bar" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
        `invalid volume specification: 'named:/x:shared': invalid mount config for type "volume": field BindOptions must not be specified`,
        'invalid mode: copy',
        'invalid mode: bar',
        'invalid mount config for type "bind": bind source path does not exist: /nosuch',
      ],
    ),
    refused(
      'modes, drivers, runtimes',
      [
        '--ipc foo',
        '--runtime nosuch',
        '--log-driver nosuch',
        '--log-driver splunk',
        '--log-opt max-size=x',
        '--isolation hyperv',
        '--security-opt foo=bar',
        '--health-cmd true --health-interval 1ns',
      ],
      [
        'Invalid IPC mode: foo',
        'Unknown runtime specified nosuch',
        'error looking up logging plugin nosuch: plugin "nosuch" not found',
        'failed to initialize logging driver: splunk is not supported by this engine; use json-file, local or none',
        "failed to initialize logging driver: invalid size: 'x'",
        `Invalid isolation: "hyperv" - linux only supports 'default'`,
        'invalid --security-opt 2: "foo=bar"',
        'Interval in Healthcheck cannot be less than 1ms',
      ],
    ),
    {
      about: 'another platform is pulled, not run',
      script: 'docker run --rm --pull never --platform linux/arm64 bb:1 true; docker run --rm --platform linux/amd64 bb:1 echo ok',
      stdout: 'ok\n',
      stderr:
        /image with reference bb:1 was found but does not match the specified platform: wanted linux\/arm64(\/v8)?, actual: linux\/amd64/,
    },
    {
      about: 'names: taken, malformed, on creation and on renaming',
      script: `docker create --name n1 bb:1 >/dev/null; docker create --name n2 bb:1 >/dev/null; docker create --name '/a b' bb:1; docker rename n1 n2; docker rename n1 'x y'; docker rm n1 n2`,
      stdout: 'n1\nn2\n',
      stderr:
        /Invalid container name \(\/a b\), only[\s\S]*Error when allocating new name: Conflict\. The container name "\/n2" is already in use[\s\S]*Error when allocating new name: Invalid container name \(\/x y\)/,
    },
    {
      about: 'updates that cannot be',
      script: `docker run -d --name u1 -m 100m bb:1 sleep 100 >/dev/null; docker update -m 500m u1; docker update -m 150m u1; docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}' u1; docker rm -f u1
        docker run -d --rm --name u2 bb:1 sleep 100 >/dev/null; docker update --restart always u2; docker rm -f u2`,
      stdout: 'u1\n157286400 209715200\nu1\nu2\n',
      stderr:
        /Memory limit should be smaller than already set memoryswap limit[\s\S]*Restart policy cannot be updated because AutoRemove is enabled for the container/,
    },
    {
      about: 'bodies that are not JSON or do not say so, windows of time that end before they begin, blank names',
      script: `S="curl -s --unix-socket \${DOCKER_HOST#unix://}"; J='Content-Type: application/json'
        $S -H "$J" -d '{x' http://d/containers/create; $S -d '{"Image":"bb:1"}' http://d/containers/create; $S -H "$J" -d '{}' http://d/v1.24/containers/create
        $S 'http://d/events?since=200&until=100'; docker rmi ' '; docker tag bb:1 sha256:x; $S -X POST http://d/volumes/create; $S http://d/networks/ | cut -c1-2; $S -I http://d/_ping | grep -i '^server'`,
      stdout:
        /invalid character 'x' looking for beginning of object key string[\s\S]*Content-Type specified \(application\/x-www-form-urlencoded\)[\s\S]*config cannot be empty[\s\S]*time \(.*\) cannot be after[\s\S]*got EOF while reading request body[\s\S]*\n\[\{\n[\s\S]*Server: Berth/,
      stderr: /image name cannot be blank[\s\S]*refusing to create an ambiguous tag using digest algorithm as name/,
    },
  ])
})

/** The sentence names this machine's processors. */
function cpuRange(): string {
  const { length } = cpus()
  return `Range of CPUs is from 0.01 to ${length}.00, as there are only ${length} CPUs available`
}
