#!/usr/bin/env bash
# npm run bench [NAME…]: measures Berth beside its peers from Debian, in one run on this machine. Figures are medians; only the ratios travel.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup_test
exec node --import tsx scripts/run-benchmarks.ts "$@"
