/* What this program is. */
#ifndef BERTH_RUNTIME_VERSION_H
#define BERTH_RUNTIME_VERSION_H

#define BERTH_VERSION "0.1.0"
#ifndef BERTH_COMMIT
#define BERTH_COMMIT "unknown"
#endif

/* `NAME version X`, then commit, spec and libseccomp lines, as callers parse them. */
void version_print(const char *program);

#endif
