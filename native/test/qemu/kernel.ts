/**
 * The guest's kernel: Debian's cloud kernel package, downloaded by apt-get and unpacked (never installed) into the cache, and an initramfs with
 * the few modules that the machine needs.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface GuestKernel {
  image: string
  initramfs: string
  release: string
}

/** Loaded in the guest with everything that they depend on. */
const modules = ['virtio_pci', 'virtiofs', 'virtio_blk', 'ext4', 'overlay', 'veth', 'bridge', 'nf_tables', 'nft_chain_nat', 'tun']

function run(program: string, args: string[], cwd?: string, input?: Buffer | string): string {
  const result = spawnSync(program, args, { cwd, input, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${result.error?.message ?? result.stderr.trim()}`)
  return result.stdout
}

/** $XDG_CACHE_HOME/berth-qemu, or the same below the repository's node_modules. */
export function cacheDirectory(repository: string): string {
  const base = process.env.XDG_CACHE_HOME ?? join(repository, 'node_modules/.cache')
  return join(base, 'berth-qemu')
}

function kernelPackage(): string {
  const depends = run('apt-cache', ['depends', 'linux-image-cloud-amd64'])
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (!name) throw new Error('apt knows no linux-image-cloud-amd64; run apt-get update first')
  return name
}

/** Path of a module's file without its compression suffix, and what must be loaded before it, in order. */
function loadOrder(tree: string): string[] {
  const depends = new Map<string, string[]>()
  const paths = new Map<string, string>()
  for (const line of readFileSync(join(tree, 'modules.dep'), 'utf8').split('\n')) {
    const [path, needs] = line.split(':')
    if (!path) continue
    paths.set(
      basename(path)
        .replace(/\.ko.*$/, '')
        .replaceAll('-', '_'),
      path,
    )
    depends.set(path, (needs ?? '').trim().split(' ').filter(Boolean))
  }
  const order: string[] = []
  const visit = (path: string): void => {
    if (order.includes(path)) return
    for (const need of depends.get(path) ?? []) visit(need)
    order.push(path)
  }
  for (const module of modules) {
    const path = paths.get(module)
    if (path) visit(path)
    else if (!readFileSync(join(tree, 'modules.builtin'), 'utf8').includes(`/${module}.ko`))
      throw new Error(`the guest kernel has no module ${module}`)
  }
  return order
}

/** The guest's first program. Output goes to the first serial line, the exit status to the second. */
const init = (modulesTree: string, release: string, repository: string) => `#!/bin/busybox sh
/bin/busybox mkdir -p /bin /proc /sys /dev /lower /scratch /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module" || echo "cannot load $module"; done < /modules/order
mount -t virtiofs -o ro host /lower || echo "cannot mount the host's files"
mount -t ext4 /dev/vda /scratch
mkdir -p /scratch/up /scratch/work /scratch/tmp /scratch/var-tmp /scratch/var-lib/berth
mount -t overlay -o lowerdir=/lower,upperdir=/scratch/up,workdir=/scratch/work overlay /root
for name in proc sys dev; do mount --move /$name /root/$name; done
mkdir -p /repository
mount --bind '/root${repository}' /repository
mount --bind /scratch/tmp /root/tmp
mount --bind /scratch/var-tmp /root/var/tmp
# An overlay cannot stand on another: data roots are on the disk itself.
mount --bind /scratch/var-lib /root/var/lib
# It may be a clone below one of these.
mkdir -p '/root${repository}'
mount --move /repository '/root${repository}'
# What the kernel asks modprobe for later on (parts of nftables, mostly).
mkdir -p '/root/lib/modules/${release}'
mount --bind '/root${modulesTree}' '/root/lib/modules/${release}'
chmod 1777 /root/tmp /root/var/tmp
mount -t tmpfs tmpfs /root/run
mkdir -p /root/dev/pts /root/dev/shm /root/dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
mount -t tmpfs tmpfs /root/dev/shm
mount -t mqueue mqueue /root/dev/mqueue
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
for controller in $(cat /root/sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /root/sys/fs/cgroup/cgroup.subtree_control; done
hostname berth-guest
ip link set lo up
cp /command.sh /root/run/berth-command.sh
exec switch_root /root /bin/bash /run/berth-command.sh
`

function buildInitramfs(packageTree: string, release: string, repository: string, target: string, script: string): void {
  const tree = mkdtempSync(join(dirname(target), 'initramfs-'))
  try {
    const source = join(packageTree, 'lib/modules', release)
    run('depmod', ['-b', packageTree, release])
    mkdirSync(join(tree, 'bin'))
    mkdirSync(join(tree, 'modules'))
    cpSync('/bin/busybox', join(tree, 'bin/busybox'))
    const order = loadOrder(source)
    for (const path of order) cpSync(join(source, path), join(tree, 'modules', basename(path)))
    writeFileSync(join(tree, 'modules/order'), `${order.map((path) => basename(path)).join('\n')}\n`)
    writeFileSync(join(tree, 'command.sh'), script)
    writeFileSync(join(tree, 'init'), init(source, release, repository))
    chmodSync(join(tree, 'init'), 0o755)
    run('bash', ['-c', `find . | cpio -o -H newc --quiet > '${target}.new'`], tree)
    renameSync(`${target}.new`, target)
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

/**
 * Downloads and unpacks the kernel unless the cache has it; the initramfs is made anew each time (it is a fraction of a second) because it holds
 * the script that the guest runs.
 * @throws when apt-get cannot download, or busybox, cpio or depmod are missing
 */
export function prepareKernel(repository: string, script: string): GuestKernel {
  const cache = cacheDirectory(repository)
  const name = kernelPackage()
  const tree = join(cache, name)
  mkdirSync(cache, { recursive: true })
  if (!existsSync(tree)) {
    const download = mkdtempSync(join(cache, 'download-'))
    try {
      run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', name], download)
      const file = readdirSync(download).find((entry) => entry.endsWith('.deb'))
      if (!file) throw new Error(`apt-get download ${name} left no package`)
      run('dpkg', ['-x', join(download, file), join(download, 'tree')])
      renameSync(join(download, 'tree'), tree)
    } finally {
      rmSync(download, { recursive: true, force: true })
    }
  }
  const release = readdirSync(join(tree, 'lib/modules'))[0]
  if (!release) throw new Error(`${tree} holds no kernel modules; remove it and try again`)
  const initramfs = join(cache, `initramfs-${process.pid}`)
  buildInitramfs(tree, release, repository, initramfs, script)
  return { image: join(tree, 'boot', `vmlinuz-${release}`), initramfs, release }
}
