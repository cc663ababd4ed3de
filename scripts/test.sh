#!/usr/bin/env bash
# npm test [SUITE…]: sets up what the suites need, runs them, ends with one line of counts. Without arguments every suite.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup_test
exec node --import tsx scripts/run-suites.ts "$@"
