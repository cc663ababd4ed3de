#!/usr/bin/env bash
# npm run service -- install [all|agent] | remove: runs Berth from this checkout as systemd services, from boot on.
#
#   berth-agent.service       the engine. KillMode=process is what it stands on: containers' monitors live in the unit's cgroup and must outlive
#                             the agent, or a restart of the service would end every container.
#   berth-dashboard.service   only with `all`. Needs no capability and writes nowhere but its own data.
#
# Settings come from the file .env of this checkout, as with npm start. `remove` takes the units away; containers go on running, and data stays.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

units=${BERTH_UNIT_DIR:-/etc/systemd/system}
usage="usage: npm run service -- install [all|agent] | remove"

need_systemd() {
  [ -d /run/systemd/system ] || die "This machine was not booted with systemd; let its init run \"npm start\" (or \"npm run agent\") in $berth_root instead."
}

# A setting as the services will see it: from .env, else the default.
setting() {
  local value=
  [ -f .env ] && value=$(sed -n "s/^[[:space:]]*$1=[\"']\{0,1\}\([^\"']*\)[\"']\{0,1\}[[:space:]]*\$/\1/p" .env | tail -1)
  printf '%s' "${value:-$2}"
}

agent_unit() {
  cat <<UNIT
[Unit]
Description=Berth agent, the container engine of this host
Documentation=file://$berth_root/README.md
After=network-online.target local-fs.target
Wants=network-online.target

[Service]
Type=exec
WorkingDirectory=$berth_root
EnvironmentFile=-$berth_root/.env
# As scripts/serve.ts, which says why.
Environment=MALLOC_ARENA_MAX=1
ExecStart=$node --max-semi-space-size=1 --enable-source-maps $berth_root/agent/dist/berth-agent.js serve
# The monitors, and with them the containers, stay when the agent is restarted.
KillMode=process
Delegate=yes
Restart=on-failure
RestartSec=1
TimeoutStopSec=15
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
UNIT
}

dashboard_unit() {
  local data=$1 run=$2
  cat <<UNIT
[Unit]
Description=Berth dashboard
Documentation=file://$berth_root/README.md
After=network-online.target berth-agent.service
Wants=network-online.target

[Service]
Type=exec
WorkingDirectory=$berth_root/apps/dashboard
EnvironmentFile=-$berth_root/.env
Environment=NODE_ENV=production
ExecStart=$node --max-semi-space-size=2 --optimize-for-size $berth_root/apps/dashboard/dist/server.js
Restart=on-failure
RestartSec=1
TimeoutStopSec=15
LimitNOFILE=65536
# It speaks to browsers and agents and keeps one database: nothing else of the machine is its business.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=$data -$run
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
LockPersonality=yes

[Install]
WantedBy=multi-user.target
UNIT
}

install_services() {
  local which=$1 data
  data=$(setting BERTH_DASHBOARD_DATA "$(setting BERTH_DATA /var/lib/berth)/dashboard")
  agent_unit >"$units/berth-agent.service"
  local names=(berth-agent.service)
  if [ "$which" = all ]; then
    mkdir -p -m 0700 "$data"
    dashboard_unit "$data" "$(setting BERTH_RUN /run/berth)" >"$units/berth-dashboard.service"
    names+=(berth-dashboard.service)
  fi
  systemctl daemon-reload
  systemctl enable --quiet "${names[@]}"
  systemctl restart "${names[@]}"
  say "running from boot on: ${names[*]}. Read along with: journalctl -fu berth-agent$([ "$which" = all ] && printf ' -u berth-dashboard')"
  [ "$which" = all ] && say "The address and, the first time, the setup token: journalctl -u berth-dashboard"
  return 0
}

remove_services() {
  local name found=
  for name in berth-dashboard.service berth-agent.service; do
    [ -e "$units/$name" ] || continue
    found=1
    systemctl disable --now --quiet "$name"
    rm -f "$units/$name"
  done
  [ -n "$found" ] || die "Berth is not installed as a service here."
  systemctl daemon-reload
  say "the services are gone; containers keep running, and the data is where it was"
}

[ $# -ge 1 ] && [ $# -le 2 ] || die "$usage"
case "$1 ${2:-all}" in
  "install all") need_root; need_systemd; setup_run ;;
  "install agent") need_root; need_systemd; setup_agent ;;
  "remove all") need_root; need_systemd; remove_services; exit ;;
  *) die "$usage" ;;
esac
link_command
node=$(node -p process.execPath)
install_services "${2:-all}"
