/* libFuzzer: any bytes as config.json, then what create does with it before a process exists: device rules,
 * cgroup path, seccomp. */
#include "cgroup.h"
#include "seccomp_filter.h"
#include "spec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct spec spec;
    struct error err;
    struct device_rule rules[CGROUP_DEVICE_RULES_MAX];
    struct cgroup cgroup = {0};
    struct seccomp_program program;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    if (spec_parse(&spec, text, size, "config.json", &err) == 0) {
        cgroup_set_path(&cgroup, spec.cgroups_path, "id", &err);
        cgroup_device_rules(spec.resources, rules, CGROUP_DEVICE_RULES_MAX, &err);
        if (spec.seccomp) {
            seccomp_filter_prepare(&program, spec.seccomp, NULL, &err);
            seccomp_filter_free(&program);
        }
        spec_free(&spec);
    }
    free(text);
    return 0;
}
