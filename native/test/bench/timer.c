/*
 * Runs commands one after another and prints the nanoseconds that all of them took together, from posix_spawn to wait, without a
 * shell and without the weight of the caller. Commands are separated by a lone ";". stdio is /dev/null. Exits 1, naming the
 * command on stderr, if one does not exit with 0.
 *
 *   timer runtime create … ";" runtime start …
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int run(char **argv, const posix_spawn_file_actions_t *actions) {
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], actions, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv) {
    struct timespec begin, end;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd <= 2; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 1; i < argc;) {
        char **command = argv + i;
        while (i < argc && strcmp(argv[i], ";") != 0)
            i++;
        argv[i++] = NULL;
        int status = run(command, &actions);
        if (status != 0) {
            fprintf(stderr, "%s %s: exit status %d\n", command[0], command[1] ? command[1] : "", status);
            return 1;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
    return 0;
}
