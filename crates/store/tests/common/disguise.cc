// Preloaded into a process by common/apart.rs, to make a local file system answer as another one would: every flock fails with the
// errno in CUTOVER_FLOCK_ERRNO, every exchange of names with that in CUTOVER_EXCHANGE_ERRNO, and statfs tells the type in
// CUTOVER_STATFS_TYPE. What is not set is passed on.
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/vfs.h>

namespace {

template <typename F> F next(const char* name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }

template <typename T> int disguised(int result, T* stat) {
  static const char* type = getenv("CUTOVER_STATFS_TYPE");
  if (result == 0 && type) stat->f_type = strtol(type, nullptr, 16);
  return result;
}

}  // namespace

extern "C" {

int flock(int fd, int operation) {
  static const char* number = getenv("CUTOVER_FLOCK_ERRNO");
  if (!number) return next<int (*)(int, int)>("flock")(fd, operation);
  errno = atoi(number);
  return -1;
}

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
  static const char* number = getenv("CUTOVER_EXCHANGE_ERRNO");
  if (!number || !(flags & RENAME_EXCHANGE))
    return next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(from_dir, from, to_dir, to, flags);
  errno = atoi(number);
  return -1;
}

int statfs(const char* path, struct statfs* stat) noexcept {
  return disguised(next<int (*)(const char*, struct statfs*)>("statfs")(path, stat), stat);
}

int statfs64(const char* path, struct statfs64* stat) noexcept {
  return disguised(next<int (*)(const char*, struct statfs64*)>("statfs64")(path, stat), stat);
}

}
