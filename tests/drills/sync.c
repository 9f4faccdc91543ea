/* Asks at the end of each fsync of a process that is started with this library in LD_PRELOAD (see syncing.py).

   It sends the path to the socket that SYNC_SOCKET names and reads one byte: 0 to go on, or the errno to fail with. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int ask(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, getenv("SYNC_SOCKET"), sizeof address.sun_path - 1);
    unsigned char answer = EIO;
    int asked = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (length > 0 && connect(asked, (struct sockaddr *)&address, sizeof address) == 0 &&
        write(asked, path, length) == length && shutdown(asked, SHUT_WR) == 0 && read(asked, &answer, 1) != 1)
        answer = EIO;
    close(asked);
    errno = answer;
    return answer ? -1 : 0;
}

static int call(const char *name, int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(descriptor);
    return result ? result : ask(descriptor);
}

int fsync(int descriptor) { return call("fsync", descriptor); }

int fdatasync(int descriptor) { return call("fdatasync", descriptor); }
