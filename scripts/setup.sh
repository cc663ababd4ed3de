# Sourced by start.sh, test.sh and bench.sh: brings this checkout to the state in which it can run. Every step is skipped when it has been done already,
# so a second call takes well under a second. Installs only what is missing and says what it does.
#
#   setup_run    what the product needs: Debian packages, JavaScript dependencies, native programs, production builds
#   setup_test   what the tests need on top: Chromium, a registry, QEMU, the peers
#
# Anything that fails ends the whole script with one sentence that says what to do.

set -euo pipefail
berth_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$berth_root"

# What builds this sends nothing to anybody.
export CHECKPOINT_DISABLE=1 NEXT_TELEMETRY_DISABLED=1

say() { printf '\033[2m[berth]\033[0m %s\n' "$*" >&2; }
die() { printf '\033[31m[berth]\033[0m %s\n' "$*" >&2; exit 1; }

# What building and running the agent takes.
packages_run=(make gcc g++ musl-tools pkg-config libseccomp-dev libarchive-dev libzstd-dev libisal-dev libssl-dev zlib1g-dev libacl1-dev libattr1-dev nftables iproute2 procps kmod ca-certificates mount)
# What the test suites need besides: a browser, a real registry, a PostgreSQL, other people's clients and runtimes, a cgroup v2 machine, sanitizers.
packages_test=(bind9-dnsutils chromium docker-registry apache2-utils debootstrap busybox-static qemu-system-x86 qemu-system-common cpio docker.io docker-compose podman conmon containerd crun runc skopeo clang clang-format clang-tidy libclang-rt-14-dev iptables curl jq xz-utils zstd pigz libarchive-tools e2fsprogs git strace socat iputils-ping postgresql)

need_root() { [ "$(id -u)" = 0 ] || die "Berth's agent is a container engine and must be root: run it with sudo, or as root."; }

need_node() {
  command -v node >/dev/null || die "Node.js is missing: install version 20.19 or newer."
  node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a===20&&b>=19)?0:1)' \
    || die "Node.js $(node -v) is too old: install version 20.19 or newer."
}

need_kernel() {
  local missing=() name
  [ "$(uname -s)" = Linux ] || die "The agent runs on Linux only; this is $(uname -s)."
  for name in ipc mnt net pid user uts cgroup; do [ -e "/proc/self/ns/$name" ] || missing+=("the $name namespace"); done
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || missing+=("the overlay file system (modprobe overlay)")
  [ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] || missing+=("cgroups mounted at /sys/fs/cgroup")
  [ ${#missing[@]} = 0 ] || die "This kernel ($(uname -r)) lacks what containers need: $(IFS=';'; echo "${missing[*]}"). Enable it and start again."
}

# Installs the Debian packages of the list that are not there.
install_packages() {
  local missing=() package
  for package in "$@"; do dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return 0
  command -v apt-get >/dev/null || die "These packages are missing and there is no apt-get here; install their equivalents: ${missing[*]}"
  [ "$(id -u)" = 0 ] || die "These Debian packages are missing and installing them needs root: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  local log; log=$(mktemp)
  # Daemons that come with a package (dockerd, redis …) must not start on this machine just because a test needs their files.
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; made_policy=1; fi
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    [ -n "$made_policy" ] && rm -f "$policy"
    tail -20 "$log" >&2
    die "apt-get could not install ${missing[*]}; the last lines are above, everything is in $log"
  fi
  [ -n "$made_policy" ] && rm -f "$policy"
  rm -f "$log"
}

# What the agent of the archive calls on its host. Programs, not packages: the host need not be a Debian.
need_programs() {
  local missing=() pair
  PATH=$PATH:/usr/sbin:/sbin
  for pair in ip:iproute2 nft:nftables ps:procps modprobe:kmod nsenter:util-linux; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

# JavaScript dependencies, exactly as locked.
install_dependencies() {
  local stamp=node_modules/.berth-lock want
  want=$(cat package-lock.json package.json agent/package.json agent/contract/package.json apps/dashboard/package.json | sha256sum | cut -d' ' -f1)-$(node -v)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return 0
  say "installing JavaScript dependencies (a few minutes the first time)"
  # Native addons are compiled against Node's own headers where the machine has them, so that nothing is downloaded.
  if [ -e /usr/include/node/node.h ]; then export npm_config_nodedir=/usr; fi
  local log; log=$(mktemp)
  npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 || { tail -30 "$log" >&2; die "npm ci failed; the last lines are above, everything is in $log"; }
  rm -f "$log"
  printf '%s' "$want" >"$stamp"
}

build_native() {
  make -C native -q all >/dev/null 2>&1 && return 0
  say "compiling the native programs"
  local log; log=$(mktemp)
  make -C native -j"$(nproc)" all >"$log" 2>&1 || { tail -30 "$log" >&2; die "the native programs did not compile; the output is in $log"; }
  rm -f "$log"
}

# True when a file below the given folders is newer than the stamp.
stale() {
  local stamp=$1; shift
  [ -e "$stamp" ] || return 0
  [ -n "$(find "$@" package-lock.json -newer "$stamp" -type f -not -path '*/node_modules/*' -not -path '*/.next/*' -not -path '*/dist/*' -not -path '*/generated/*' -not -name '*.tsbuildinfo' -not -name next-env.d.ts -print -quit)" ]
}

build_agent() {
  local stamp=agent/dist/.stamp
  stale "$stamp" agent || return 0
  say "building the agent"
  npm run --silent build -w @berth/agent >&2 || die "the agent did not build; the reason is above"
  touch "$stamp"
}

# What the dashboard hands out to further hosts.
pack_agent() {
  local archive=agent/dist/berth-agent.tar.gz
  [ -e "$archive" ] && [ -z "$(find agent/dist/.stamp agent/pack.ts agent/external.ts native/build/bin/berth-* scripts -newer "$archive" -print -quit)" ] && return 0
  node --import tsx agent/pack.ts >/dev/null || die "the agent was not packed; the reason is above"
}

build_dashboard() {
  local stamp=apps/dashboard/.next/.berth-stamp
  stale "$stamp" apps/dashboard agent/src agent/contract prisma || return 0
  say "building the dashboard (about a minute)"
  local log; log=$(mktemp)
  npm run --silent build -w @berth/dashboard >"$log" 2>&1 || { tail -40 "$log" >&2; die "the dashboard did not build; everything is in $log"; }
  rm -f "$log"
  touch "$stamp"
}

# The command that "Add a host" shows must be there to be pasted. Somebody else's file of that name is left alone; a link of another checkout is taken over.
link_command() {
  local link=/usr/local/bin/berth-agent target=$berth_root/scripts/berth-agent
  [ "$(readlink "$link" 2>/dev/null)" = "$target" ] && return 0
  if [ -e "$link" ] && [ ! -L "$link" ]; then return 0; fi
  mkdir -p /usr/local/bin && ln -sfn "$target" "$link" && say "berth-agent is a command now ($link)"
}

setup_agent() {
  need_root; need_node; need_kernel
  if [ -e .archive ]; then need_programs; return; fi
  install_packages "${packages_run[@]}"; install_dependencies; build_native; build_agent
}
setup_run() {
  [ ! -e .archive ] || die "This is the agent alone; the dashboard is in the repository."
  setup_agent; pack_agent; build_dashboard
}
setup_test() { need_root; need_node; need_kernel; install_packages "${packages_run[@]}" "${packages_test[@]}"; install_dependencies; build_native; build_agent; pack_agent; build_dashboard; }
