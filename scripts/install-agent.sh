#!/usr/bin/env bash
# scripts/install-agent.sh [URL --token TOKEN --fingerprint FINGERPRINT [--address ADDRESS]]
#
# Runs from the unpacked archive that a dashboard hands out (agent/pack.ts): puts the agent into /opt/berth-agent (BERTH_PREFIX), makes the command berth-agent of it, has systemd
# start it now and with the machine, and, with the words that "Add a host" shows, joins the dashboard. Run again it upgrades: settings (.env), data and running containers stay.
# A failure before the new agent stands in its place leaves what was installed before; one after it (systemd, the joining) leaves the new one, and the same line may be run again.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

place=${BERTH_PREFIX:-/opt/berth-agent}

[ -e .archive ] || die "This is a checkout, not the agent's archive: run npm run agent here instead."
[ "${place#/}" != "$place" ] || die "BERTH_PREFIX is \"$place\" but must be an absolute path."
if [ -e "$place" ] && [ ! -e "$place/.archive" ]; then die "$place is there already and is not an installed agent; move it away, or name another place with BERTH_PREFIX."; fi
setup_agent

say "installing the agent $(cat .archive) into $place"
mkdir -p "$(dirname "$place")"
rm -rf "$place.new"
cp -a "$berth_root" "$place.new"
chown -R 0:0 "$place.new"
if [ -e "$place/.env" ]; then cp -p "$place/.env" "$place.new/.env"; fi
rm -rf "$place.old"
if [ -e "$place" ]; then mv "$place" "$place.old"; fi
mv "$place.new" "$place"
rm -rf "$place.old"

if [ -d /run/systemd/system ]; then
  bash "$place/scripts/systemd-units.sh" install agent
  [ $# = 0 ] || exec "$place/scripts/berth-agent" join "$@"
else
  berth_root=$place
  link_command
  [ $# = 0 ] || "$place/scripts/berth-agent" join "$@"
  say "This machine was not booted with systemd: have its init run \"$place/scripts/berth-agent serve\", now and at every start."
fi
