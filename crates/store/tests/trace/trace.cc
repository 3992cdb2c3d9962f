// Preloaded into a process by tests/order.rs: appends a line to the file named by CUTOVER_TRACE for every call that decides what a
// crash leaves, after the call succeeded. Calls are passed on unchanged, but the fsync with the number in CUTOVER_FAIL_SYNC, counted
// from 1, fails.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <typename F> F next(const char* name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }

void trace(const char* verb, const char* path, const char* second) {
  static const char* file = getenv("CUTOVER_TRACE");
  if (!file) return;
  static int log = next<int (*)(const char*, int, ...)>("open")(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  char line[2 * PATH_MAX + 32];
  int length = snprintf(line, sizeof line, "%s %s%s%s\n", verb, path, *second ? " " : "", second);
  if (length > 0 && write(log, line, static_cast<size_t>(length)) != length) abort();
}

int opened(int fd, const char* path, int flags) {
  if (fd >= 0 && flags & O_CREAT) trace("create", path, "");
  return fd;
}

}  // namespace

extern "C" {

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return opened(next<int (*)(const char*, int, ...)>("open64")(path, flags, mode), path, flags);
}

int fsync(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  static const char* failing = getenv("CUTOVER_FAIL_SYNC");
  static int calls = 0;
  if (failing && ++calls == atoi(failing)) {
    trace("failed-sync", path, "");
    errno = EIO;
    return -1;
  }
  int result = next<int (*)(int)>("fsync")(fd);
  if (result == 0) trace("sync", path, "");
  return result;
}

int mkdir(const char* path, mode_t mode) {
  int result = next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
  if (result == 0) trace("mkdir", path, "");
  return result;
}

int rename(const char* from, const char* to) {
  int result = next<int (*)(const char*, const char*)>("rename")(from, to);
  if (result == 0) trace("rename", from, to);
  return result;
}

int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  int result = next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(from_fd, from, to_fd, to, flags);
  if (result == 0) trace("rename", from, to);
  return result;
}

}
