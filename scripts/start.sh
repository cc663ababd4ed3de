#!/usr/bin/env bash
# npm start | npm run agent | npm run dev: sets up what is missing, then runs until Ctrl-C. Containers keep running afterwards.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
case "${1:-all}" in
  all) setup_run ;;
  agent) setup_agent ;;
  dev) setup_agent ;;
  *) die "usage: start.sh all|agent|dev" ;;
esac
[ "${1:-all}" = dev ] || link_command
exec node --import tsx scripts/serve.ts "${1:-all}"
