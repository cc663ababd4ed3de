#include "version.h"

#include "seccomp_filter.h"
#include "spec.h"

#include <stdio.h>

void version_print(const char *program) {
    printf("%s version " BERTH_VERSION "\ncommit: " BERTH_COMMIT "\nspec: " OCI_VERSION_MAX
           "\nlibseccomp: %s\n",
           program, seccomp_filter_library_version());
}
