/* Containers whose ids match a regular expression: crun's `delete --regex` and `kill --regex`. */
#ifndef BERTH_RUNTIME_MATCHING_H
#define BERTH_RUNTIME_MATCHING_H

#include "cli.h"
#include "error.h"

/*
 * Calls act for every container under the state root whose id has a match of the extended regular expression,
 * in the order of ids. The first failure is reported once all have been tried; no match at all is no failure.
 */
int matching_each(const struct invocation *in, const char *pattern,
                  int (*act)(const struct invocation *in, const char *id, struct error *err),
                  struct error *err);

#endif
